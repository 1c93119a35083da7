//! A stand-in for PowerShell.
