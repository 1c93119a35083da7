//! The `session-pool` command.

fn main() {}
