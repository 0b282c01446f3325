"""The version of Parley, as `/health`, the command line and the API's documentation say it."""

VERSION = "0.1.0"
