"""The one error of this room."""


class SettingsError(ValueError):
    """A setting that is unknown or has a value that is not allowed; the message names both."""
