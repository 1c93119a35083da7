//! What the policy says to calls of Microsoft Graph that no PowerShell takes part in.

use super::decision::{ConfirmBy, Decision};
use super::engine::{Policy, relaxed};

/// The rule of the default policy that is about sends through Graph.
const SENDS: &str = "graph-send";

/// What holds for calls of Graph on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphRules {
    /// What becomes of a send.
    pub sends: Decision,
    /// Who says yes to one.
    pub confirm_by: ConfirmBy,
    /// Whether only reading is allowed.
    pub read_only: bool,
}

impl Default for GraphRules {
    /// What the default policy says, so that nobody has to read it where there is no file.
    fn default() -> Self {
        Self {
            sends: Decision::Confirm,
            confirm_by: ConfirmBy::Assistant,
            read_only: false,
        }
    }
}

impl Policy {
    /// What holds for calls of Graph: the rule `graph-send` as the file relaxes it, `confirm_by` and
    /// `read_only`, each for all or for the connection. What is said of modules says nothing here.
    pub fn graph(&self, connection: &str) -> GraphRules {
        let own = self.own.connections.get(connection);
        let layers: Vec<_> = std::iter::once(&self.own.global).chain(own).collect();
        let rule = self
            .defaults
            .global
            .rules
            .iter()
            .find(|rule| rule.id == SENDS);
        let said = layers
            .iter()
            .filter_map(|layer| layer.confirm_by)
            .next_back();
        GraphRules {
            sends: rule.map_or(Decision::Confirm, |rule| relaxed(rule, &layers)),
            confirm_by: said
                .or_else(|| rule.and_then(|rule| rule.confirm_by))
                .unwrap_or_default(),
            read_only: layers
                .iter()
                .filter_map(|layer| layer.read_only)
                .next_back()
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_file_says_who_confirms_sends_and_what_may_only_read() {
        let file = "confirm_by = \"person\"\nread_only = true\n[connection.test]\nconfirm_by = \
            \"assistant\"\nread_only = false\n[[connection.closed.relax]]\nrule = \
            \"graph-send\"\ndecision = \"block\"\n[module.exo]\nread_only = true\n";
        let policy = Policy::new(file).unwrap();
        let rules = |sends, confirm_by, read_only| GraphRules {
            sends,
            confirm_by,
            read_only,
        };
        use ConfirmBy::{Assistant, Person};
        use Decision::{Block, Confirm};
        assert_eq!(policy.graph("contoso"), rules(Confirm, Person, true));
        assert_eq!(policy.graph("test"), rules(Confirm, Assistant, false));
        assert_eq!(policy.graph("closed"), rules(Block, Person, true));
        let none = Policy::new("").unwrap();
        assert_eq!(none.graph("contoso"), rules(Confirm, Assistant, false));
        assert_eq!(none.graph("contoso"), GraphRules::default());
    }
}
