"""What an auditor reads: the Merkle tree, leaves, checkpoints, exports, and their verification with the standard library alone."""
