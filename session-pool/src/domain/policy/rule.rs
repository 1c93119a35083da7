//! One rule: what it is about, and what it says.

use super::decision::{ConfirmBy, Decision, RuleHit};
use super::facts::{ANYTHING, Command, CommandKind, Definition, Facts, Place, UseKind, Via};
use super::pattern::{Folded, Pattern};

/// One rule of a policy.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) decision: Decision,
    pub(super) confirm_by: Option<ConfirmBy>,
    /// It is about sending, and does not hold where send guards are off.
    pub(super) send: bool,
    /// Its names stand in the barrier inside sessions. Not what modules need for themselves.
    pub(super) barrier: bool,
    pub(super) reason: String,
    pub(super) instead: String,
    pub(super) subject: Subject,
}

/// What a rule is about.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    Commands(Commands),
    /// Names of the kind that only running would tell.
    Dynamic(Dynamic),
    /// `Type::Member`; a cast has no member.
    Types {
        names: Names,
        values: Vec<Pattern>,
    },
    Members(Names),
    Variables {
        names: Names,
        assigned: bool,
    },
    /// `alias:name`, `function:name`, `variable:name`.
    Definitions(Names),
    Redirections(Names),
    Usings(Names),
}

/// Patterns, and those of what fits them that are meant all the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) any: Vec<Pattern>,
    pub(super) except: Vec<Pattern>,
}

/// Commands under conditions that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    pub(super) names: Names,
    pub(super) kinds: Vec<CommandKind>,
    pub(super) conditions: Vec<Condition>,
}

/// A condition on what a command is given.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// The parameters it is about; empty: all, and what has no parameter's name.
    pub(super) parameters: Vec<Pattern>,
    /// What one of the values must be; empty: it is enough that the parameter is there.
    pub(super) values: Vec<Pattern>,
    /// Values that only running would tell do not count.
    pub(super) certain: bool,
    /// What comes down the pipeline counts as a value that only running would tell.
    pub(super) piped: bool,
    /// So do the wildcards of a value.
    pub(super) globs: bool,
}

/// Names that only running would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dynamic {
    Command,
    Type,
    Member,
}

impl Names {
    fn fit(&self, name: &str) -> bool {
        let name = Folded::new(name);
        self.any.iter().any(|pattern| pattern.may_fit_folded(&name))
            && !self.except.iter().any(|pattern| pattern.fits_folded(&name))
    }
}

impl Names {
    fn is_everything(&self) -> bool {
        self.any.iter().any(Pattern::is_everything)
    }
}

impl Condition {
    fn holds(&self, command: &Command) -> bool {
        if !self.certain && (command.open || (self.piped && command.position > 0)) {
            return true;
        }
        let named = command
            .parameters
            .iter()
            .filter(|parameter| self.concerns(&parameter.name));
        if self.values.is_empty() {
            return named.count() > 0;
        }
        let values = named.flat_map(|parameter| &parameter.values).chain(
            command
                .arguments
                .iter()
                .flat_map(|argument| &argument.values),
        );
        values.into_iter().any(|value| {
            // A service reads a path whose characters are encoded as if they were not.
            self.meets(value) || decoded(value).is_some_and(|value| self.meets(&value))
        })
    }

    fn meets(&self, value: &str) -> bool {
        let value = if self.globs {
            Folded::new(&without_wildcards(value))
        } else {
            Folded::new(value)
        };
        self.values.iter().any(|pattern| {
            if self.certain {
                pattern.fits_folded(&value)
            } else {
                pattern.may_fit_folded(&value)
            }
        })
    }

    /// PowerShell takes the beginning of a parameter's name for the name.
    fn concerns(&self, written: &str) -> bool {
        let written = written.to_lowercase();
        self.parameters.is_empty()
            || self.parameters.iter().any(|pattern| {
                pattern.fits(&written)
                    || pattern
                        .name()
                        .is_some_and(|name| name.starts_with(&written))
            })
    }
}

/// The value behind `%XX`, where it has such.
fn decoded(value: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
    (decoded != value).then(|| decoded.into_owned())
}

/// A path with [`ANYTHING`] where it has wildcards.
fn without_wildcards(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut in_class = false;
    for c in path.chars() {
        match c {
            '[' => {
                in_class = true;
                plain.push(ANYTHING);
            }
            ']' => in_class = false,
            _ if in_class => {}
            '*' | '?' => plain.push(ANYTHING),
            c => plain.push(c),
        }
    }
    plain
}

impl Commands {
    fn fit(&self, command: &Command, name: &str) -> bool {
        self.names.fit(name)
            && (self.kinds.is_empty() || self.kinds.contains(&command.kind))
            // A name that is only named may be called with anything; where any name is meant, what
            // it is called with is the point.
            && (command.via == Via::Definition && !self.names.is_everything()
                || self.conditions.iter().all(|condition| condition.holds(command)))
    }
}

impl Rule {
    /// Every place of the facts that meets this rule, with what it then says.
    pub(super) fn hits<'a>(
        &'a self,
        facts: &'a Facts,
        decision: Decision,
    ) -> impl Iterator<Item = RuleHit> + 'a {
        let commands = facts
            .commands
            .iter()
            .filter(|command| self.concerns_command(command))
            .map(|command| &command.place);
        let uses = facts
            .uses
            .iter()
            .filter(|found| self.concerns_use(&found.kind))
            .map(|found| &found.place);
        commands
            .chain(uses)
            .map(move |place| self.hit(place, decision))
    }

    /// The names that are refused whatever they are called with.
    pub(super) fn plain_names(&self) -> impl Iterator<Item = String> + '_ {
        let names = match &self.subject {
            Subject::Commands(commands)
                if self.barrier
                    && commands.conditions.is_empty()
                    && commands.kinds.is_empty()
                    && commands.names.except.is_empty() =>
            {
                commands.names.any.as_slice()
            }
            _ => &[],
        };
        names.iter().filter_map(Pattern::name)
    }

    fn hit(&self, place: &Place, decision: Decision) -> RuleHit {
        RuleHit {
            id: self.id.clone(),
            decision,
            reason: self.reason.clone(),
            text: place.text.clone(),
            line: place.line,
            column: place.column,
            instead: self.instead.clone(),
        }
    }

    fn concerns_command(&self, command: &Command) -> bool {
        match (&self.subject, &command.name) {
            (Subject::Commands(commands), Some(name)) => commands.fit(command, name),
            (Subject::Dynamic(Dynamic::Command), None) => true,
            _ => false,
        }
    }

    fn concerns_use(&self, found: &UseKind) -> bool {
        match (&self.subject, found) {
            (Subject::Dynamic(Dynamic::Type), UseKind::Type { name, member, .. }) => {
                name.is_none() || member.is_none()
            }
            (Subject::Dynamic(Dynamic::Member), UseKind::Member { name, called }) => {
                name.is_none() && *called
            }
            (
                Subject::Types { names, values },
                UseKind::Type {
                    name: Some(name),
                    member,
                    values: given,
                },
            ) => {
                let full = format!("{name}::{}", member.as_deref().unwrap_or_default());
                names.fit(&full)
                    && (values.is_empty()
                        || given
                            .iter()
                            .any(|value| values.iter().any(|pattern| pattern.may_fit(value))))
            }
            (
                Subject::Members(names),
                UseKind::Member {
                    name: Some(name), ..
                },
            ) => names.fit(name),
            (
                Subject::Variables { names, assigned },
                UseKind::Variable {
                    name,
                    assigned: written,
                },
            ) => names.fit(name) && (!assigned || *written),
            (Subject::Definitions(names), UseKind::Definition { what, name }) => {
                let drive = match what {
                    Definition::Alias => "alias",
                    Definition::Function => "function",
                    Definition::Variable => "variable",
                };
                names.fit(&format!("{drive}:{name}"))
            }
            (Subject::Redirections(names), UseKind::Redirection { target }) => names.fit(target),
            (Subject::Usings(names), UseKind::Using { name }) => names.fit(name),
            _ => false,
        }
    }
}
