//! The `mm` command.

fn main() {}
