//! The policy as a whole: rules of all files, and what they say to facts.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::{ConfirmBy, Decision, RuleHit, Verdict};
use super::facts::{Command, Facts};
use super::file::{Layer, PolicyError, PolicyFile, PolicyTest};
use super::pattern::{Folded, Pattern};
use super::rule::Rule;
use crate::domain::module::Module;

/// The id of what is refused because a connection or module may only read.
const READ_ONLY: &str = "read-only";

/// Rules, and where they hold.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) defaults: PolicyFile,
    pub(super) own: PolicyFile,
}

impl Policy {
    /// The default policy with what a file adds to it.
    ///
    /// # Errors
    /// [`PolicyError`] with the place in `own`.
    pub fn new(own: &str) -> Result<Self, PolicyError> {
        let defaults = PolicyFile::parse(super::DEFAULT, &BTreeSet::new())?;
        let own = PolicyFile::parse(own, &defaults.ids())?;
        Ok(Self { defaults, own })
    }

    /// What holds for a command of these facts.
    pub fn decide(&self, connection: &str, module: Module, facts: &Facts) -> Verdict {
        self.decide_for(connection, module, facts, true)
    }

    /// As [`decide`](Self::decide), but nothing is said of sending.
    pub fn decide_unguarded(&self, connection: &str, module: Module, facts: &Facts) -> Verdict {
        self.decide_for(connection, module, facts, false)
    }

    fn decide_for(&self, connection: &str, module: Module, facts: &Facts, sends: bool) -> Verdict {
        let layers = self.layers(connection, module);
        let facts = self.behind_aliases(facts);
        let mut confirm_by = ConfirmBy::Assistant;
        let mut rules: Vec<RuleHit> = Vec::new();
        for rule in self.rules(&layers) {
            let decision = relaxed(rule, &layers);
            if decision == Decision::Allow || (rule.send && !sends) {
                continue;
            }
            let before = rules.len();
            rules.extend(rule.hits(&facts, decision));
            if decision == Decision::Confirm && rules.len() > before {
                let asked = rule.confirm_by.unwrap_or_default();
                let said = layers
                    .iter()
                    .filter_map(|layer| layer.confirm_by)
                    .next_back();
                confirm_by = confirm_by.max(said.unwrap_or(asked));
            }
        }
        if self.is_read_only(connection, module) {
            rules.extend(self.beyond_reading(&facts));
        }
        let mut seen = BTreeSet::new();
        rules.retain(|hit| seen.insert((hit.id.clone(), hit.line, hit.column, hit.text.clone())));
        rules.sort_by_key(|hit| std::cmp::Reverse(hit.decision));
        Verdict {
            decision: rules.first().map_or(Decision::Allow, |hit| hit.decision),
            confirm_by,
            rules,
        }
    }

    /// The names that are refused on this connection and module however they are called, for the
    /// barrier inside the session.
    pub fn barrier(&self, connection: &str, module: Module) -> Vec<String> {
        let layers = self.layers(connection, module);
        let names: BTreeSet<String> = self
            .rules(&layers)
            .filter(|rule| relaxed(rule, &layers) == Decision::Block)
            .flat_map(Rule::plain_names)
            .collect();
        names.into_iter().collect()
    }

    /// Whether this connection and module may only read. What names the connection or the module
    /// goes before what names neither, and of those two the stricter holds.
    pub fn is_read_only(&self, connection: &str, module: Module) -> bool {
        let named = [
            self.own.connections.get(connection),
            self.own.modules.get(&module),
        ];
        let said: Vec<bool> = named
            .into_iter()
            .flatten()
            .filter_map(|layer| layer.read_only)
            .collect();
        if said.is_empty() {
            self.own.global.read_only.unwrap_or_default()
        } else {
            said.contains(&true)
        }
    }

    /// The tests of the policy's own file.
    pub fn tests(&self) -> &[PolicyTest] {
        &self.own.tests
    }

    /// What holds here, the general before the particular.
    fn layers(&self, connection: &str, module: Module) -> Vec<&Layer> {
        let named = [
            self.own.modules.get(&module),
            self.own.connections.get(connection),
        ];
        std::iter::once(&self.own.global)
            .chain(named.into_iter().flatten())
            .collect()
    }

    fn rules<'a>(&'a self, layers: &'a [&'a Layer]) -> impl Iterator<Item = &'a Rule> {
        let own = layers.iter().flat_map(|layer| &layer.rules);
        self.defaults.global.rules.iter().chain(own)
    }

    /// The facts with the aliases of Microsoft's modules, which the checker does not import.
    fn behind_aliases(&self, facts: &Facts) -> Facts {
        let mut facts = facts.clone();
        for command in &mut facts.commands {
            let alias = command.name.as_deref().map(str::to_lowercase);
            let meant = alias.and_then(|alias| {
                let own: &BTreeMap<_, _> = &self.own.aliases;
                own.get(&alias)
                    .or_else(|| self.defaults.aliases.get(&alias))
            });
            if let Some(meant) = meant {
                command.name = Some(meant.clone());
            }
        }
        facts
    }

    fn beyond_reading(&self, facts: &Facts) -> Vec<RuleHit> {
        facts
            .commands
            .iter()
            .filter(|command| !self.only_reads(command))
            .map(|command| RuleHit {
                id: READ_ONLY.to_owned(),
                decision: Decision::Block,
                reason:
                    "this connection or module may only read, and this is none of the commands \
                         that are known to do no more"
                        .to_owned(),
                text: command.place.text.clone(),
                line: command.place.line,
                column: command.place.column,
                instead: "use a Get-, Find-, Search-, Test- or Measure- command, or ask whoever \
                          runs the pool to change read_only in its policy file"
                    .to_owned(),
            })
            .chain(facts.uses.iter().filter_map(|found| {
                let super::facts::UseKind::Redirection { .. } = &found.kind else {
                    return None;
                };
                Some(RuleHit {
                    id: READ_ONLY.to_owned(),
                    decision: Decision::Block,
                    reason: "this connection or module may only read, and this writes a file"
                        .to_owned(),
                    text: found.place.text.clone(),
                    line: found.place.line,
                    column: found.place.column,
                    instead: "let the output come as the answer".to_owned(),
                })
            }))
            .collect()
    }

    fn only_reads(&self, command: &Command) -> bool {
        let Some(name) = command.name.as_deref() else {
            return false;
        };
        let name = Folded::new(name);
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.fits_folded(&name));
        (fits(&self.defaults.reading.allow) || fits(&self.own.reading.allow))
            && !fits(&self.defaults.reading.never)
            && !fits(&self.own.reading.never)
    }
}

/// What a rule says here: its own decision, or what the files make of it. Of several the strictest.
pub(super) fn relaxed(rule: &Rule, layers: &[&Layer]) -> Decision {
    layers
        .iter()
        .filter_map(|layer| layer.relaxed.get(&rule.id).copied())
        .max()
        .unwrap_or(rule.decision)
}
