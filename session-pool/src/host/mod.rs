//! A PowerShell process as a stream of typed events.
