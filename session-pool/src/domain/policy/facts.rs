//! What a command's syntax tree says, as the checker process reports it.

use serde::{Deserialize, Serialize};

/// Stands in a value for what only running the command would tell: `"a$x"` is `a` and this.
pub const ANYTHING: char = '\u{FFFC}';

/// Everything that rules look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Commands that are called, and names that are used as if.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// Whatever else matters.
    #[serde(default)]
    pub uses: Vec<Use>,
    /// How to ask the command itself what it would do, where the text is one command with constant
    /// arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_if: Option<WhatIf>,
}

/// A text that is one command, taken apart: what is called, and everything behind its name, which is
/// constant. With `-WhatIf` between them it runs nothing but that command's own account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// The name behind aliases.
    pub name: String,
    /// PowerShell, as it was written.
    pub rest: String,
}

/// Where something stands in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The text itself, cut to 200 characters.
    pub text: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    /// The name behind aliases and qualifiers; none where only running would tell.
    pub name: Option<String>,
    /// What the name stands for, as far as is known without importing a module.
    pub kind: CommandKind,
    /// The module or directory it was qualified with.
    #[serde(default)]
    pub qualifier: Option<String>,
    /// How the name is used.
    #[serde(default)]
    pub via: Via,
    /// Parameters by name, also from splatted tables; without the dash.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What stands without a parameter's name.
    #[serde(default)]
    pub arguments: Vec<Argument>,
    /// Something was splatted that is not constant: there may be any parameter.
    #[serde(default)]
    pub open: bool,
    /// It runs in the caller's scope, with `.` before it: what it sets there stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dotted: bool,
    /// Its place in its pipeline, from 0.
    #[serde(default)]
    pub position: u32,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
}

/// What a command's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// A cmdlet of PowerShell itself.
    Cmdlet,
    /// A function, of PowerShell itself or defined in the same text.
    Function,
    /// A program.
    Native,
    /// A script file.
    Script,
    /// Unknown to the checker, which imports nothing: usually a module's command.
    Unknown,
}

/// How a name is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// It is called.
    #[default]
    Call,
    /// Something is defined that names it: an alias, a function, an entry of such a drive.
    Definition,
    /// It goes on in the background, with `&` behind it.
    Background,
}

/// A named parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parameter {
    /// As it was written; PowerShell takes any beginning that only one parameter has.
    pub name: String,
    /// Its values; empty for a switch. [`ANYTHING`] stands for what is not constant.
    #[serde(default)]
    pub values: Vec<String>,
    /// A table as JSON, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
}

/// An argument without a parameter's name; [`ANYTHING`] stands for what is not constant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Argument {
    /// Its values: several for a list.
    pub values: Vec<String>,
}

/// Something other than a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Use {
    /// What.
    #[serde(flatten)]
    pub kind: UseKind,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
}

/// What else a text uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "use", rename_all = "snake_case")]
pub enum UseKind {
    /// A .NET type: a cast, a new object, or a static member of it.
    Type {
        /// Its full name where the checker knows it; none where only running would tell.
        name: Option<String>,
        /// The static member; empty for a cast, `new` for a new object; none where only running
        /// would tell.
        member: Option<String>,
        /// What a static method is called with.
        #[serde(default)]
        values: Vec<String>,
    },
    /// A member of an object.
    Member {
        /// None where only running would tell.
        name: Option<String>,
        /// Whether it is called.
        called: bool,
    },
    /// A variable.
    Variable {
        /// With its drive, where it has one; without a scope.
        name: String,
        /// Whether it gets a value.
        assigned: bool,
    },
    /// A name that the text gives a meaning to.
    Definition {
        /// What is defined.
        what: Definition,
        /// Its name; [`ANYTHING`] where only running would tell.
        name: String,
    },
    /// Output to a file.
    Redirection {
        /// The file.
        target: String,
    },
    /// A `using` statement.
    Using {
        /// What it names, behind `assembly:`, `module:` or `namespace:`.
        name: String,
    },
}

/// What a text can define.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// An alias.
    Alias,
    /// A function or filter.
    Function,
    /// A variable, by cmdlet or drive.
    Variable,
}
