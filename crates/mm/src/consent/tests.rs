#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;

fn binding(payload: &str) -> Binding {
    Binding::of("graph_request", [Some(payload.as_bytes()), None])
}

struct Stage {
    _directory: tempfile::TempDir,
    consents: Consents,
}

fn stage() -> Stage {
    let directory = tempfile::tempdir().unwrap();
    Stage {
        consents: Consents::new(directory.path()),
        _directory: directory,
    }
}

#[test]
fn a_code_is_good_once_and_in_any_process() {
    let stage = stage();
    let code = stage.consents.code(binding("a")).unwrap();
    let later = stage.consents.clone();
    assert!(later.redeem(binding("a"), &code).unwrap().is_some());
    assert!(later.redeem(binding("a"), &code).unwrap().is_none());
}

#[test]
fn a_yes_that_is_given_back_is_good_again() {
    let stage = stage();
    let code = stage.consents.code(binding("a")).unwrap();
    let spent = stage.consents.redeem(binding("a"), &code).unwrap().unwrap();
    spent.give_back();
    assert!(
        stage
            .consents
            .redeem(binding("a"), &code)
            .unwrap()
            .is_some()
    );
}

#[test]
fn of_many_that_use_a_code_at_once_one_succeeds() {
    let stage = stage();
    let code = stage.consents.code(binding("a")).unwrap();
    let taken: usize = std::thread::scope(|scope| {
        let all: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    stage
                        .consents
                        .redeem(binding("a"), &code)
                        .unwrap()
                        .is_some()
                })
            })
            .collect();
        all.into_iter()
            .map(|one| usize::from(one.join().unwrap()))
            .sum()
    });
    assert_eq!(taken, 1);
}

#[test]
fn a_forms_state_is_no_code_and_the_other_way_round() {
    let stage = stage();
    let code = stage.consents.code(binding("a")).unwrap();
    let state = stage
        .consents
        .state(binding("a"), Some("x".to_owned()))
        .unwrap();
    assert!(
        stage
            .consents
            .redeem(binding("a"), &state)
            .unwrap()
            .is_none()
    );
    assert!(
        stage
            .consents
            .answered(binding("a"), &code)
            .unwrap()
            .is_none()
    );
    let opened = stage
        .consents
        .answered(binding("a"), &state)
        .unwrap()
        .unwrap();
    assert_eq!(opened.about.as_deref(), Some("x"));
}

#[test]
fn of_ten_thousand_altered_payloads_and_codes_none_is_accepted() {
    let stage = stage();
    let consents = &stage.consents;
    let payload = "{\"message\":{\"subject\":\"Hello\",\"toRecipients\":[\"ada@contoso.com\"]}}";
    let code = consents.code(binding(payload)).unwrap();
    let codec = consents.codec().unwrap();
    let accepts = |binding: Binding, code: &str| {
        codec
            .open_json_with::<Sealed>(code, &binding.with(Purpose::Code))
            .is_ok()
    };
    assert!(accepts(binding(payload), &code));
    let mut tried = 0;
    let bits = 0..8;
    // Every bit of the payload and of the code, pairs of them, cuts, doublings and exchanges.
    for (position, bit) in (0..payload.len()).flat_map(|at| bits.clone().map(move |bit| (at, bit)))
    {
        let mut altered = payload.as_bytes().to_vec();
        altered[position] ^= 1 << bit;
        let altered = Binding::of("graph_request", [Some(altered.as_slice()), None]);
        assert!(!accepts(altered, &code));
        tried += 1;
    }
    for cut in 0..payload.len() {
        assert!(!accepts(binding(&payload[..cut]), &code));
        assert!(!accepts(binding(&payload[cut + 1..]), &code));
        tried += 2;
    }
    for at in 0..code.len() {
        for to in 0x20..0x7f_u8 {
            let mut altered = code.clone().into_bytes();
            if altered[at] == to {
                continue;
            }
            altered[at] = to;
            let altered = String::from_utf8(altered).unwrap();
            assert!(!accepts(binding(payload), &altered), "{at} {to}");
            tried += 1;
        }
        assert!(!accepts(binding(payload), &code[..at]));
        assert!(!accepts(
            binding(payload),
            &format!("{code}{}", &code[at..])
        ));
        tried += 2;
    }
    assert!(tried >= 10_000, "{tried}");
    // The whole way, with its mark.
    let altered = format!("{}A", &code[..code.len() - 1]);
    if altered != code {
        assert!(
            consents
                .redeem(binding(payload), &altered)
                .unwrap()
                .is_none()
        );
    }
    assert!(consents.redeem(binding(payload), &code).unwrap().is_some());
}

#[test]
fn another_tool_and_parts_that_shift_are_another_call() {
    let parts =
        |tool: &str, a: &str, b: &str| Binding::of(tool, [Some(a.as_bytes()), Some(b.as_bytes())]);
    assert!(parts("run", "ab", "c") != parts("run", "a", "bc"));
    assert!(parts("run", "a", "b") != parts("graph_request", "a", "b"));
    assert!(Binding::of("run", [None]) != Binding::of("run", [Some(b"".as_slice())]));
}

#[test]
fn a_person_says_yes_elsewhere_once_and_to_exactly_this() {
    let stage = stage();
    let consents = &stage.consents;
    let waiting = consents.wait(binding("a"), "preview").unwrap();
    assert!(waiting.id.starts_with(PREFIX) && waiting.expires_in > 590);
    // Asked for the same again, it is the same that waits.
    assert_eq!(
        consents.wait(binding("a"), "preview").unwrap().id,
        waiting.id
    );
    assert!(consents.approved(binding("a")).unwrap().is_none());
    assert_eq!(consents.show(&waiting.id).unwrap().preview, "preview");
    consents.approve(&waiting.id).unwrap();
    assert!(consents.approved(binding("b")).unwrap().is_none());
    assert!(consents.approved(binding("a")).unwrap().is_some());
    assert!(consents.approved(binding("a")).unwrap().is_none());
    assert!(consents.approve(&waiting.id).is_err());
    assert_ne!(
        consents.wait(binding("a"), "preview").unwrap().id,
        waiting.id
    );
}

#[test]
fn what_is_too_old_or_no_id_is_nothing() {
    let stage = stage();
    let consents = &stage.consents;
    let waiting = consents.wait(binding("a"), "p").unwrap();
    let path = consents.directory.join(format!("{}.wait", waiting.id));
    let mut file: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    file["made"] = (file["made"].as_i64().unwrap() - 601).into();
    fs::write(&path, file.to_string()).unwrap();
    for id in [waiting.id.as_str(), "", "../keys", "g/../../x", "g0"] {
        assert!(consents.show(id).is_err(), "{id:?}");
        assert!(consents.approve(id).is_err(), "{id:?}");
    }
}

#[cfg(unix)]
#[test]
fn everything_is_its_owners_alone_and_open_keys_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = stage();
    let consents = &stage.consents;
    let code = consents.code(binding("a")).unwrap();
    consents.redeem(binding("a"), &code).unwrap();
    let waiting = consents.wait(binding("a"), "p").unwrap();
    consents.approve(&waiting.id).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&consents.directory), 0o700);
    let mut seen = 0;
    for entry in fs::read_dir(&consents.directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 4);
    let keys = consents.directory.join("keys.json");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o640)).unwrap();
    let error = consents.code(binding("a")).unwrap_err().to_string();
    assert!(error.contains("others than its owner"), "{error}");
}

#[test]
fn what_a_killed_process_left_is_swept_and_the_keys_are_kept() {
    let stage = stage();
    stage.consents.code(binding("a")).unwrap();
    let directory = stage.consents.directory.clone();
    let long_ago = std::time::SystemTime::now() - 2 * VALID * 6;
    for (name, is_kept) in [(".tmpAb12Cd", false), ("keys.json", true)] {
        let path = directory.join(name);
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap();
        file.set_modified(long_ago).unwrap();
        pending::sweep(&directory);
        assert_eq!(path.exists(), is_kept, "{name}");
    }
}
