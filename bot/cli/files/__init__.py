"""Files that commands read: settings, policies, cases, cases of the past, and how their problems are said."""
