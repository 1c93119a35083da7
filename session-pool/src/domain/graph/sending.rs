//! Which calls send something to people, and whether such a call goes ahead.

use super::encode::fully_decoded;
use super::method::Method;
use crate::domain::policy::{ConfirmBy, Decision, SendGuards};

/// What a call would send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// A mail that the call itself holds.
    Mail,
    /// A draft as it lies in the mailbox.
    Draft,
    /// An answer to a mail, with its recipients.
    Reply,
    /// An answer to all who had the mail.
    ReplyAll,
    /// A mail, meeting or post on to others.
    Forward,
    /// A message in a chat or channel.
    TeamsMessage,
    /// A post to a group, which its members get as mail.
    GroupPost,
    /// A notification, reminder or text message.
    Notification,
    /// An invitation by mail to something shared.
    Invitation,
}

impl Sends {
    /// What a call sends, if it sends anything. Source: the reference of Microsoft Graph, every
    /// action of its mail, calendar, groups and Teams that reaches somebody else at once.
    pub fn of(method: Method, path: &str) -> Option<Self> {
        if matches!(method, Method::Get | Method::Delete) {
            return None;
        }
        // A service may undo any encoding: `send%4Dail` is `sendMail` to it.
        let path = fully_decoded(path).to_lowercase();
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let segments: Vec<&str> = path
            .split(['/', '\\'])
            .map(|segment| segment.trim_matches(|c: char| c.is_whitespace() || c.is_control()))
            .filter(|segment| !segment.is_empty())
            .map(|segment| segment.trim_start_matches("microsoft.graph."))
            .map(|segment| segment.split('(').next().unwrap_or(segment))
            .collect();
        let (last, front) = segments.split_last()?;
        let below = |name: &str| front.contains(&name);
        let in_teams = ["chats", "channels", "primarychannel"]
            .into_iter()
            .any(below);
        let in_group = ["threads", "conversations"].into_iter().any(below);
        match *last {
            "send" if below("messages") => Some(Self::Draft),
            "sendmail" | "send" => Some(Self::Mail),
            "reply" if in_group => Some(Self::GroupPost),
            "reply" => Some(Self::Reply),
            "replyall" => Some(Self::ReplyAll),
            "forward" => Some(Self::Forward),
            "messages" | "replies" | "replywithquote" | "forwardtochat" if in_teams => {
                Some(Self::TeamsMessage)
            }
            "threads" | "conversations" if below("groups") && method == Method::Post => {
                Some(Self::GroupPost)
            }
            "invite" if below("drive") || below("drives") || below("shares") => {
                Some(Self::Invitation)
            }
            "invitations" if method == Method::Post => Some(Self::Invitation),
            action if action.starts_with("send") => Some(Self::Notification),
            _ => None,
        }
    }

    /// In words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mail => "a mail",
            Self::Draft => "a draft as a mail",
            Self::Reply => "an answer by mail",
            Self::ReplyAll => "an answer by mail to all",
            Self::Forward => "a mail on to others",
            Self::TeamsMessage => "a message in Teams",
            Self::GroupPost => "a post to a group",
            Self::Notification => "a notification",
            Self::Invitation => "an invitation",
        }
    }
}

/// A yes that has been proved to be for exactly this call, and has not been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yes {
    /// The caller sent the code of an earlier answer.
    Code,
    /// A person said it: in a form, at a terminal, or by `mm confirm`.
    Person,
}

/// What is to be decided on: a call, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Proposal {
    /// Whether it, or any part of a batch, sends something to people.
    pub sends: bool,
    /// `MM_SEND_GUARDS`.
    pub guards: SendGuards,
    /// `skipSendGuards` of the connection.
    pub skips_guards: bool,
    /// What the policy says of sends through Graph.
    pub policy: Decision,
    /// Who may say yes.
    pub confirm_by: ConfirmBy,
    /// The original's word for a yes.
    pub confirmed: bool,
    /// A yes that was proved.
    pub yes: Option<Yes>,
    /// Whether a person can be asked by way of the caller: a form, a terminal.
    pub can_ask: bool,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It is sent: it sends nothing to people, or the policy lets such calls through.
    Send,
    /// It is sent, and somebody has said yes.
    SendConfirmed(Yes),
    /// It is sent unseen, which is logged with these words.
    SendUnguarded(&'static str),
    /// It is not sent: a person is asked by way of the caller.
    AskByWayOfCaller,
    /// It is not sent: the caller gets a code.
    AskCaller,
    /// It is not sent: a person has to say yes elsewhere.
    AskPerson,
    /// It is refused by the policy.
    Refuse,
}

impl Proposal {
    /// Decides. Nothing of a call itself switches guards off.
    pub const fn course(&self) -> Course {
        if !self.sends {
            return Course::Send;
        }
        if matches!(self.policy, Decision::Block) {
            return Course::Refuse;
        }
        if !matches!(self.policy, Decision::Confirm) {
            return Course::Send;
        }
        if matches!(self.guards, SendGuards::Off) {
            return Course::SendUnguarded(
                "a message is sent without being shown first: MM_SEND_GUARDS=false",
            );
        }
        if self.skips_guards {
            return Course::SendUnguarded(
                "a message is sent without being shown first: skipSendGuards of the connection",
            );
        }
        match (self.yes, self.confirm_by) {
            (Some(Yes::Person), _) => return Course::SendConfirmed(Yes::Person),
            (Some(Yes::Code), ConfirmBy::Assistant) if !self.can_ask => {
                return Course::SendConfirmed(Yes::Code);
            }
            _ => {}
        }
        if matches!(self.guards, SendGuards::Legacy)
            && self.confirmed
            && matches!(self.confirm_by, ConfirmBy::Assistant)
        {
            return Course::SendUnguarded(
                "a message is sent by the word of the caller alone: MM_SEND_GUARDS=legacy",
            );
        }
        match (self.can_ask, self.confirm_by) {
            (true, _) => Course::AskByWayOfCaller,
            (false, ConfirmBy::Assistant) => Course::AskCaller,
            (false, ConfirmBy::Person) => Course::AskPerson,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_sending_is_known() {
        use Sends::{
            Draft, Forward, GroupPost, Invitation, Mail, Notification, Reply, ReplyAll,
            TeamsMessage,
        };
        for (path, known) in [
            ("/v1.0/me/sendMail", Some(Mail)),
            (
                "/beta/users/ada@contoso.com/microsoft.graph.sendMail",
                Some(Mail),
            ),
            ("/v1.0/me/microsoft.graph.sendMail()", Some(Mail)),
            ("/v1.0/me/SENDMAIL/", Some(Mail)),
            ("/v1.0/me/sendMail?x=1", Some(Mail)),
            ("/v1.0/me/messages/AAA=/reply", Some(Reply)),
            ("/v1.0/me/messages/AAA=/replyAll", Some(ReplyAll)),
            ("/v1.0/me/messages/AAA=/forward", Some(Forward)),
            ("/v1.0/me/events/AAA=/forward", Some(Forward)),
            ("/v1.0/me/messages/AAA=/send", Some(Draft)),
            (
                "/v1.0/me/mailFolders/drafts/messages('A')/send",
                Some(Draft),
            ),
            ("/v1.0/chats/19:x@thread.v2/messages", Some(TeamsMessage)),
            ("/v1.0/chats('19:x')/messages", Some(TeamsMessage)),
            ("/v1.0/teams/t/channels/c/messages", Some(TeamsMessage)),
            ("/v1.0/teams/t/primaryChannel/messages", Some(TeamsMessage)),
            (
                "/v1.0/teams/t/channels/c/messages/m/replies",
                Some(TeamsMessage),
            ),
            ("/beta/chats/1/messages/replyWithQuote", Some(TeamsMessage)),
            ("/v1.0/groups/g/threads/t/reply", Some(GroupPost)),
            ("/v1.0/groups/g/threads", Some(GroupPost)),
            ("/v1.0/teams/t/sendActivityNotification", Some(Notification)),
            ("/v1.0/me/drive/items/1/invite", Some(Invitation)),
            ("/v1.0/invitations", Some(Invitation)),
            ("/v1.0/me/send%4Dail", Some(Mail)),
            ("/v1.0/me/%2573endMail", Some(Mail)),
            ("/v1.0/me%2FsendMail", Some(Mail)),
            ("/v1.0/me/sendMail%20", Some(Mail)),
            ("/v1.0/me/sendMail%0a", Some(Mail)),
            ("/v1.0/me/sendMail%3Fa", Some(Mail)),
            ("/v1.0/chats/1/messages%2F", Some(TeamsMessage)),
            ("/v1.0/me/messages", None),
            ("/v1.0/me/messages/AAA=/createReply", None),
            ("/v1.0/me/messages/AAA=", None),
            ("/v1.0/groups", None),
            ("/v1.0/$batch", None),
        ] {
            assert_eq!(Sends::of(Method::Post, path), known, "{path}");
            assert_eq!(Sends::of(Method::Get, path), None, "{path}");
        }
    }

    const SEND: Proposal = Proposal {
        sends: true,
        guards: SendGuards::On,
        skips_guards: false,
        policy: Decision::Confirm,
        confirm_by: ConfirmBy::Assistant,
        confirmed: false,
        yes: None,
        can_ask: false,
    };

    #[test]
    fn the_table_of_sends() {
        use Course::{AskByWayOfCaller, AskCaller, AskPerson, Refuse, Send, SendConfirmed};
        let person = Proposal {
            confirm_by: ConfirmBy::Person,
            ..SEND
        };
        let legacy = Proposal {
            guards: SendGuards::Legacy,
            confirmed: true,
            ..SEND
        };
        for (proposal, course) in [
            (
                Proposal {
                    sends: false,
                    ..SEND
                },
                Send,
            ),
            (SEND, AskCaller),
            (
                Proposal {
                    confirmed: true,
                    ..SEND
                },
                AskCaller,
            ),
            (
                Proposal {
                    can_ask: true,
                    ..SEND
                },
                AskByWayOfCaller,
            ),
            (
                Proposal {
                    yes: Some(Yes::Code),
                    ..SEND
                },
                SendConfirmed(Yes::Code),
            ),
            // Who can be asked never got a code.
            (
                Proposal {
                    yes: Some(Yes::Code),
                    can_ask: true,
                    ..SEND
                },
                AskByWayOfCaller,
            ),
            (
                Proposal {
                    yes: Some(Yes::Person),
                    ..SEND
                },
                SendConfirmed(Yes::Person),
            ),
            (person, AskPerson),
            (
                Proposal {
                    can_ask: true,
                    ..person
                },
                AskByWayOfCaller,
            ),
            (
                Proposal {
                    yes: Some(Yes::Code),
                    ..person
                },
                AskPerson,
            ),
            (
                Proposal {
                    yes: Some(Yes::Person),
                    ..person
                },
                SendConfirmed(Yes::Person),
            ),
            (
                Proposal {
                    confirmed: false,
                    ..legacy
                },
                AskCaller,
            ),
            (
                Proposal {
                    confirm_by: ConfirmBy::Person,
                    ..legacy
                },
                AskPerson,
            ),
            (
                Proposal {
                    policy: Decision::Block,
                    skips_guards: true,
                    ..SEND
                },
                Refuse,
            ),
            (
                Proposal {
                    policy: Decision::Allow,
                    ..SEND
                },
                Send,
            ),
        ] {
            assert_eq!(proposal.course(), course, "{proposal:?}");
        }
        for unguarded in [
            Proposal {
                guards: SendGuards::Off,
                ..SEND
            },
            Proposal {
                skips_guards: true,
                ..person
            },
            legacy,
        ] {
            assert!(
                matches!(unguarded.course(), Course::SendUnguarded(_)),
                "{unguarded:?}"
            );
        }
    }

    #[test]
    fn nothing_in_a_call_switches_guards_off() {
        // What a call itself can say: `confirmed`, and a code that proves nothing.
        for confirmed in [false, true] {
            for confirm_by in [ConfirmBy::Assistant, ConfirmBy::Person] {
                for can_ask in [false, true] {
                    let course = Proposal {
                        confirmed,
                        confirm_by,
                        can_ask,
                        ..SEND
                    }
                    .course();
                    assert!(!matches!(
                        course,
                        Course::Send | Course::SendConfirmed(_) | Course::SendUnguarded(_)
                    ));
                }
            }
        }
    }
}
