//! Whether a command could leave something behind in its session.

/// Words whose presence means that a command may define something. Compared in lower case.
const DEFINING: [&str; 27] = [
    "=",
    "++",
    "--",
    "function",
    "filter ",
    "class ",
    "enum ",
    "variable",
    "alias",
    "-ov",
    "-ev",
    "-wv",
    "-iv",
    "-pv",
    "-outv",
    "foreach",
    ". ",
    "sv ",
    "nv ",
    "sal ",
    "nal ",
    "iex",
    "invoke-expression",
    "set-item",
    "new-item",
    "scriptblock",
    "import-",
];

/// A guess from the text, for a command that was cut off before PowerShell could tell: may it have
/// set variables, functions or aliases? Errs on the side of yes: the price is that one later
/// command has to be repeated.
pub fn may_set_state(command: &str) -> bool {
    let command = command.to_lowercase();
    DEFINING.iter().any(|word| command.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_defines_something_is_noticed() {
        for command in [
            "$ids = Get-Mailbox; Start-Sleep 60",
            "function Get-It { 1 }",
            "Set-Variable x 1",
            "nal ll Get-ChildItem",
            "sv ids 5",
            "foreach ($box in Get-Mailbox) { Start-Sleep 1 }",
            ". ./setup.ps1",
            "iex $text",
            "Set-Item function:x { 1 }",
            "Get-Mailbox -OutVariable boxes",
            "Get-Mailbox -ov boxes",
        ] {
            assert!(may_set_state(command), "{command}");
        }
    }

    #[test]
    fn what_only_asks_is_not() {
        for command in [
            "Get-Mailbox -ResultSize 5",
            "Start-Sleep 60",
            "Get-Date | Out-String",
        ] {
            assert!(!may_set_state(command), "{command}");
        }
    }
}
