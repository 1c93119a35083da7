//! Installing PowerShell.
