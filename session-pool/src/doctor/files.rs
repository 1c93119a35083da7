//! Whether files and directories are their owner's only.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::domain::doctor::Finding;
use crate::domain::registry::{Authentication, Registry, SecretSource};

/// A directory that nobody else may read or enter. One that is not there is made when it is needed.
pub fn private_directory(check: &str, path: &Path) -> Finding {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => private(check, path, &metadata, "700"),
        Ok(_) => Finding::failed(
            check,
            format!("{} is no directory", path.display()),
            "move it away, or name another directory",
        ),
        Err(error) => missing(check, path, &error),
    }
}

/// A file that nobody else may read.
pub fn private_file(check: &str, path: &Path) -> Finding {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => private(check, path, &metadata, "600"),
        Ok(_) => Finding::failed(
            check,
            format!("{} is no file", path.display()),
            "move it away, or name another file",
        ),
        Err(error) => missing(check, path, &error),
    }
}

fn private(check: &str, path: &Path, metadata: &Metadata, mode: &str) -> Finding {
    let place = path.display();
    let (owner, own) = (metadata.uid(), own_id());
    // Root may well look after another's files.
    if own.is_some_and(|own| own != owner && own != 0) {
        return Finding::failed(
            check,
            format!("{place} belongs to user id {owner}, not to you"),
            format!("sudo chown -R \"$(id -u):$(id -g)\" '{place}'"),
        );
    }
    let rights = metadata.mode() & 0o777;
    if rights & 0o077 != 0 {
        return Finding::failed(
            check,
            format!("{place} has mode {rights:04o}: other users get at it"),
            format!("chmod {mode} '{place}'"),
        );
    }
    Finding::ok(check, format!("{place}, mode {rights:04o}"))
}

fn missing(check: &str, path: &Path, error: &io::Error) -> Finding {
    let place = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        return Finding::skipped(check, format!("{place} is not there yet"));
    }
    Finding::failed(
        check,
        format!("{place} cannot be looked at: {error}"),
        "check the owner and mode of the directories above it",
    )
}

/// Who runs this, where the system tells.
fn own_id() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|own| own.uid())
}

/// The files that connections sign in with.
pub fn secrets(registry: &Registry, directory: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for connection in registry.connections() {
        let files = match &connection.authentication {
            Authentication::Device => continue,
            Authentication::Certificate(files) => {
                let password = files.password.as_ref();
                std::iter::once(&files.certificate)
                    .chain(password)
                    .collect()
            }
            Authentication::Secret(SecretSource::File(file)) => vec![file],
            Authentication::Secret(SecretSource::Variable(name)) => {
                findings.push(variable(connection.name.as_str(), name));
                continue;
            }
        };
        for file in files {
            let path = file.resolve(directory, &connection.name);
            let check = format!("secret of {}", connection.name);
            let finding = match path.exists() {
                true => private_file(&check, &path),
                false => Finding::failed(
                    check,
                    format!("{} is not there", path.display()),
                    "put it there, or correct the path in the registry",
                ),
            };
            findings.push(finding);
        }
    }
    findings
}

fn variable(connection: &str, name: &str) -> Finding {
    let check = format!("secret of {connection}");
    match std::env::var_os(name).is_some_and(|value| !value.is_empty()) {
        true => Finding::ok(check, format!("{name} is set")),
        false => Finding::warning(
            check,
            format!("{name} is not set here"),
            "set it where the program that signs in is started",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::domain::doctor::Verdict;

    #[test]
    fn what_others_can_read_fails_with_the_command_that_mends_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pool.token");
        assert_eq!(private_file("token", &path).result, Verdict::Skipped);
        fs::write(&path, "x").unwrap();
        for (mode, verdict) in [(0o600, Verdict::Ok), (0o640, Verdict::Failed)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let finding = private_file("token", &path);
            assert_eq!(finding.result, verdict, "{mode:o}");
        }
        let remedy = private_file("token", &path).remedy.unwrap();
        assert!(remedy.starts_with("chmod 600"), "{remedy}");
        assert_eq!(
            private_file("token", directory.path()).result,
            Verdict::Failed
        );
        assert_eq!(private_directory("state", &path).result, Verdict::Failed);
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(
            private_directory("state", directory.path()).result,
            Verdict::Ok
        );
    }

    #[test]
    fn secrets_are_looked_for_where_the_registry_says() {
        let directory = tempfile::tempdir().unwrap();
        let registry = Registry::parse(
            r#"{"connections": {
                "app": {"tenant": "a.example", "tenantId": "11111111-1111-4111-8111-111111111111",
                    "appId": "11111111-1111-4111-8111-111111111111",
                    "auth": "certificate", "certificateFile": "app.pem"},
                "person": {"tenant": "b.example"}
            }}"#,
        )
        .unwrap();
        let found = secrets(&registry, directory.path());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].result, Verdict::Failed);
        assert!(found[0].what.contains("app/app.pem"), "{}", found[0].what);
    }
}
