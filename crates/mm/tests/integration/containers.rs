//! The image and both deployments, as their users have them: `.ci/containers` holds what is done and
//! what has to come of it.

use std::path::Path;
use std::process::{Command, Output};

use crate::Case;
use crate::client::mm;
use crate::python;

/// Tests that need Docker with the image, and the tools that look at it.
pub const CASES: &[Case] = &[
    ("the_image_is_small_and_quick_and_first_process", image),
    ("one_container_serves_all_connections", unified),
    ("a_container_for_each_connection_and_a_router", isolated),
];

/// The image that `.ci/image.sh` builds.
const IMAGE: &str = "m365-session-pool:ci";

/// Programs that the scripts call.
const TOOLS: [&str; 6] = [
    "docker-compose",
    "prometheus",
    "promtool",
    "jq",
    "curl",
    "setpriv",
];

/// Whether the image is there, and all that is needed to try it.
pub fn is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = |tool| std::env::split_paths(&path).any(|place| place.join(tool).is_file());
    // Another user's files are made, and its containers looked into.
    is_root() && TOOLS.into_iter().all(on_path) && has_image()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn has_image() -> bool {
    let inspect = ["image", "inspect", IMAGE];
    let output = Command::new("docker").args(inspect).output();
    output.is_ok_and(|output| output.status.success())
}

fn image() {
    script("image.sh");
}

fn unified() {
    script("unified.sh");
}

fn isolated() {
    script("isolated.sh");
}

/// The scripts wait for one another.
fn script(name: &str) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new("bash")
        .arg(repository.join(".ci/containers").join(name))
        .env("MM", mm())
        .env("MM_TEST_PYTHON", python::interpreter())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    assert!(status.success(), "{name}: {status}\n{stdout}{stderr}");
}
