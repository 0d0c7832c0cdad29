"""The page of the sandbox: a review channel in the browser, with PagerDuty and the service beside it."""
