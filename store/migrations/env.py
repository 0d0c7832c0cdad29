"""Runs the revisions on the connection that `store.migrate` hands over. Never opens a database by itself."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
