//! Policy files: TOML, read once into rules, with the line and column of whatever is wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::decision::{ConfirmBy, Decision};
use super::facts::CommandKind;
use super::pattern::Pattern;
use super::rule::{Commands, Condition, Dynamic, Names, Rule, Subject};
use crate::domain::module::Module;

/// A policy file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct PolicyError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a policy file expects of the policy that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTest {
    /// The PowerShell.
    pub command: String,
    /// What is to be decided.
    pub decision: Decision,
    /// On which connection; none: on one that no file names.
    pub connection: Option<String>,
    /// In which module; `exo` where none is named.
    pub module: Module,
    /// Where the test stands, from 1.
    pub line: usize,
}

/// What a file says, for all, one connection or one module.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub(super) rules: Vec<Rule>,
    pub(super) relaxed: BTreeMap<String, Decision>,
    pub(super) read_only: Option<bool>,
    pub(super) confirm_by: Option<ConfirmBy>,
}

/// What may be called where everything else is refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) allow: Vec<Pattern>,
    pub(super) never: Vec<Pattern>,
}

/// A whole file.
#[derive(Clone, Debug, Default)]
pub(super) struct PolicyFile {
    pub(super) global: Layer,
    pub(super) connections: BTreeMap<String, Layer>,
    pub(super) modules: BTreeMap<Module, Layer>,
    pub(super) reading: Reading,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) tests: Vec<PolicyTest>,
}

impl PolicyFile {
    /// Reads a file. `known`: ids of rules that it may relax and may not use again.
    pub(super) fn parse(text: &str, known: &BTreeSet<String>) -> Result<Self, PolicyError> {
        let raw: RawFile = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            at(text, offset, error.message().replace('\n', ", "))
        })?;
        Reader {
            text,
            known: known.clone(),
        }
        .file(raw)
    }

    /// The ids of all its rules.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        let layers = self.connections.values().chain(self.modules.values());
        std::iter::once(&self.global)
            .chain(layers)
            .flat_map(|layer| layer.rules.iter().map(|rule| rule.id.clone()))
            .collect()
    }
}

fn at(text: &str, offset: usize, message: String) -> PolicyError {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |found| found + 1);
    PolicyError {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        message,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    read_only: Option<bool>,
    confirm_by: Option<ConfirmBy>,
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
    #[serde(default)]
    relax: Vec<RawRelax>,
    #[serde(default)]
    connection: BTreeMap<String, RawLayer>,
    #[serde(default)]
    module: BTreeMap<Spanned<String>, RawLayer>,
    #[serde(default)]
    reading: RawReading,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    #[serde(default)]
    test: Vec<RawTest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLayer {
    read_only: Option<bool>,
    confirm_by: Option<ConfirmBy>,
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
    #[serde(default)]
    relax: Vec<RawRelax>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReading {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRelax {
    rule: Spanned<String>,
    decision: Decision,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTest {
    command: Spanned<String>,
    decision: Decision,
    connection: Option<String>,
    module: Option<Spanned<String>>,
}

/// Exactly one of the keys from `commands` to `usings` says what the rule is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    decision: Decision,
    confirm_by: Option<ConfirmBy>,
    #[serde(default)]
    send: bool,
    #[serde(default = "yes")]
    barrier: bool,
    reason: String,
    #[serde(default)]
    instead: String,
    commands: Option<Vec<String>>,
    dynamic: Option<RawDynamic>,
    types: Option<Vec<String>>,
    members: Option<Vec<String>>,
    variables: Option<Vec<String>>,
    definitions: Option<Vec<String>>,
    redirections: Option<Vec<String>>,
    usings: Option<Vec<String>>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    kinds: Vec<CommandKind>,
    #[serde(default, rename = "where")]
    conditions: Vec<RawCondition>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    assigned: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawDynamic {
    Command,
    Type,
    Member,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
    #[serde(default)]
    parameters: Vec<String>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    certain: bool,
    #[serde(default)]
    piped: bool,
    #[serde(default)]
    globs: bool,
}

struct Reader<'a> {
    text: &'a str,
    /// Ids that are taken, and may be relaxed.
    known: BTreeSet<String>,
}

impl Reader<'_> {
    fn file(mut self, raw: RawFile) -> Result<PolicyFile, PolicyError> {
        let global = RawLayer {
            read_only: raw.read_only,
            confirm_by: raw.confirm_by,
            rule: raw.rule,
            relax: raw.relax,
        };
        let mut file = PolicyFile {
            global: self.layer(global)?,
            reading: Reading {
                allow: patterns(raw.reading.allow),
                never: patterns(raw.reading.never),
            },
            aliases: raw
                .aliases
                .into_iter()
                .map(|(alias, name)| (alias.to_lowercase(), name))
                .collect(),
            ..PolicyFile::default()
        };
        for (name, layer) in raw.module {
            let module = self.module(&name)?;
            let layer = self.layer(layer)?;
            file.modules.insert(module, layer);
        }
        for (name, layer) in raw.connection {
            let layer = self.layer(layer)?;
            file.connections.insert(name, layer);
        }
        for test in raw.test {
            file.tests.push(self.test(test)?);
        }
        Ok(file)
    }

    fn layer(&mut self, raw: RawLayer) -> Result<Layer, PolicyError> {
        let mut layer = Layer {
            read_only: raw.read_only,
            confirm_by: raw.confirm_by,
            ..Layer::default()
        };
        for rule in raw.rule {
            layer.rules.push(self.rule(rule)?);
        }
        for relax in raw.relax {
            let id = relax.rule;
            if !self.known.contains(id.get_ref()) {
                return Err(self.error(
                    &id,
                    format!(
                        "there is no rule {:?} to relax: `session-pool policy show` lists the rules",
                        id.get_ref()
                    ),
                ));
            }
            layer.relaxed.insert(id.into_inner(), relax.decision);
        }
        Ok(layer)
    }

    fn rule(&mut self, raw: Spanned<RawRule>) -> Result<Rule, PolicyError> {
        let whole = raw.span();
        let raw = raw.into_inner();
        if raw.id.get_ref().trim().is_empty() || !self.known.insert(raw.id.get_ref().clone()) {
            let message = format!(
                "the id {:?} is empty or another rule's: give this rule one of its own",
                raw.id.get_ref()
            );
            return Err(self.error(&raw.id, message));
        }
        let names = |any: Vec<String>, except: &[String]| Names {
            any: patterns(any),
            except: patterns(except.to_vec()),
        };
        let except = raw.except.as_slice();
        let mut subjects = Vec::new();
        subjects.extend(raw.commands.map(|any| {
            Subject::Commands(Commands {
                names: names(any, except),
                kinds: raw.kinds.clone(),
                conditions: raw.conditions.into_iter().map(condition).collect(),
            })
        }));
        subjects.extend(raw.dynamic.map(|what| {
            Subject::Dynamic(match what {
                RawDynamic::Command => Dynamic::Command,
                RawDynamic::Type => Dynamic::Type,
                RawDynamic::Member => Dynamic::Member,
            })
        }));
        subjects.extend(raw.types.map(|any| Subject::Types {
            names: names(any, except),
            values: patterns(raw.values.clone()),
        }));
        subjects.extend(raw.members.map(|any| Subject::Members(names(any, except))));
        subjects.extend(raw.variables.map(|any| Subject::Variables {
            names: names(any, except),
            assigned: raw.assigned,
        }));
        subjects.extend(
            raw.definitions
                .map(|any| Subject::Definitions(names(any, except))),
        );
        subjects.extend(
            raw.redirections
                .map(|any| Subject::Redirections(names(any, except))),
        );
        subjects.extend(raw.usings.map(|any| Subject::Usings(names(any, except))));
        let [subject] = <[Subject; 1]>::try_from(subjects).map_err(|found| {
            at(
                self.text,
                whole.start,
                format!(
                    "the rule {:?} has {} of the keys commands, dynamic, types, members, variables, \
                     definitions, redirections and usings: it takes exactly one",
                    raw.id.get_ref(),
                    found.len()
                ),
            )
        })?;
        Ok(Rule {
            id: raw.id.into_inner(),
            decision: raw.decision,
            confirm_by: raw.confirm_by,
            send: raw.send,
            barrier: raw.barrier,
            reason: raw.reason,
            instead: raw.instead,
            subject,
        })
    }

    fn test(&self, raw: RawTest) -> Result<PolicyTest, PolicyError> {
        Ok(PolicyTest {
            line: at(self.text, raw.command.span().start, String::new()).line,
            command: raw.command.into_inner(),
            decision: raw.decision,
            connection: raw.connection,
            module: raw
                .module
                .map_or(Ok(Module::Exo), |name| self.module(&name))?,
        })
    }

    fn module(&self, name: &Spanned<String>) -> Result<Module, PolicyError> {
        name.get_ref()
            .parse()
            .map_err(|unknown: crate::domain::module::UnknownModule| {
                self.error(name, unknown.to_string())
            })
    }

    fn error(&self, place: &Spanned<String>, message: String) -> PolicyError {
        at(self.text, place.span().start, message)
    }
}

const fn yes() -> bool {
    true
}

fn patterns(texts: Vec<String>) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text)).collect()
}

fn condition(raw: RawCondition) -> Condition {
    Condition {
        parameters: patterns(raw.parameters),
        values: patterns(raw.values),
        certain: raw.certain,
        piped: raw.piped,
        globs: raw.globs,
    }
}
