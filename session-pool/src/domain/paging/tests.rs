#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use proptest::prelude::*;

use super::*;

/// Reads all pages of a finished job.
fn pages(format: FormatName, records: &[Record], budget: PageBudget) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut from = Cursor::default();
    loop {
        let mut pager = Pager::new(format, from, budget);
        let mut more = false;
        for record in &records[usize::try_from(from.record).unwrap()..] {
            if pager.push(record) == Room::Full {
                more = true;
                break;
            }
        }
        let page = pager.finish();
        assert!(
            page.next > from || !more,
            "a page that is not the last goes on: {from} {page:?}"
        );
        from = page.next;
        pages.push(page);
        if !more {
            return pages;
        }
    }
}

fn budget(characters: u64) -> PageBudget {
    PageBudget::new(characters).unwrap()
}

fn lines(texts: &[&str]) -> Vec<Record> {
    texts
        .iter()
        .map(|text| Record::Output {
            text: (*text).to_owned(),
        })
        .collect()
}

fn error(message: &str) -> Record {
    Record::Error(ErrorRecord {
        message: message.to_owned(),
        ..ErrorRecord::default()
    })
}

#[test]
fn a_short_answer_is_one_page() {
    let pages = pages(
        FormatName::Text,
        &lines(&["a", "", "b"]),
        PageBudget::default(),
    );
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].output, "a\n\nb\n");
}

#[test]
fn text_is_cut_at_a_line() {
    let long = "x".repeat(120);
    let pages = pages(FormatName::Text, &lines(&[&long, &long]), budget(200));
    assert_eq!(pages.len(), 2);
    assert!(
        pages
            .iter()
            .all(|page| page.output.len() == 121 && !page.partial)
    );
}

#[test]
fn a_line_longer_than_a_page_is_cut_inside_and_goes_on() {
    let long = "ä€😀".repeat(200);
    let pages = pages(
        FormatName::Text,
        &lines(&["before", &long, "behind"]),
        budget(250),
    );
    assert!(pages[1].partial);
    let whole: String = pages.iter().map(|page| page.output.as_str()).collect();
    assert_eq!(whole, format!("before\n{long}\nbehind\n"));
}

/// All that a page adds to its answer, as JSON.
fn characters(page: &Page) -> usize {
    let listed = [
        serde_json::to_string(&page.errors),
        serde_json::to_string(&page.warnings),
        serde_json::to_string(&page.messages),
    ];
    let listed = listed.map(|json| json.unwrap().chars().count() - 2);
    page.output.chars().count() + listed.iter().sum::<usize>()
}

#[test]
fn many_small_errors_and_warnings_fill_pages_with_all_that_they_take() {
    let records: Vec<_> = (0..2_000)
        .flat_map(|n| {
            let text = format!("\"{n}\"");
            [
                error("x"),
                Record::Warning { text: text.clone() },
                Record::Verbose { text },
            ]
        })
        .collect();
    for format in [FormatName::Text, FormatName::Json] {
        let pages = pages(format, &records, PageBudget::default());
        let largest = pages.iter().map(characters).max().unwrap();
        assert!(largest <= 40_000, "{format:?}: {largest}");
        assert_eq!(
            pages.iter().map(|page| page.errors.len()).sum::<usize>(),
            2_000
        );
    }
}

#[test]
fn one_entry_never_passes_its_page_whatever_its_characters_take() {
    let control = "\u{1}\"".repeat(20_000);
    let record = Record::Error(ErrorRecord {
        message: control.clone(),
        category: control.clone(),
        id: control.clone(),
        exception: control.clone(),
        line: Some(u32::MAX),
        column: Some(u32::MAX),
        terminating: true,
        rendered: String::new(),
    });
    let records = [record, Record::Warning { text: control }];
    for size in [200, 1_000, 40_000] {
        for page in pages(FormatName::Json, &records, budget(size)) {
            assert!(
                characters(&page) <= usize::try_from(size).unwrap(),
                "{size}: {}",
                characters(&page)
            );
        }
    }
}

#[test]
fn each_json_page_is_an_array_of_its_own() {
    let records: Vec<_> = (0..100)
        .map(|n| Record::Json {
            text: format!("{{\"n\":{n}}}"),
        })
        .collect();
    let pages = pages(FormatName::Json, &records, budget(200));
    let read: Vec<serde_json::Value> = pages
        .iter()
        .flat_map(|page| serde_json::from_str::<Vec<serde_json::Value>>(&page.output).unwrap())
        .collect();
    assert!(pages.len() > 1);
    assert_eq!(read.len(), 100);
}

#[test]
fn a_json_element_longer_than_a_page_comes_in_fragments() {
    let text = serde_json::to_string(&"\"\\\n\u{1}ü".repeat(300)).unwrap();
    let records = [
        Record::Json { text: "1".into() },
        Record::Json { text: text.clone() },
        Record::Json { text: "2".into() },
        Record::Warning { text: "3".into() },
    ];
    let pages = pages(FormatName::Json, &records, budget(300));
    let [first, fragments @ .., last] = &pages[..] else {
        unreachable!("{pages:?}")
    };
    assert_eq!((first.output.as_str(), first.partial), ("[1]", false));
    assert_eq!((last.output.as_str(), last.partial), ("[2]", false));
    assert_eq!(last.warnings, ["3"]);
    let mut whole = String::new();
    for page in fragments {
        let read: Vec<serde_json::Value> = serde_json::from_str(&page.output).unwrap();
        let [fragment] = &read[..] else {
            unreachable!("a fragment is alone on its page: {read:?}")
        };
        whole.push_str(fragment["fragment"].as_str().unwrap());
        assert!(page.warnings.is_empty());
    }
    assert_eq!(whole, text);
    assert!(fragments.iter().all(|page| page.partial));
}

fn pieces(texts: &[&str]) -> Vec<Record> {
    let last = texts.len() - 1;
    let piece = |(number, text): (usize, &&str)| Record::Piece {
        text: (*text).to_owned(),
        last: number == last,
    };
    texts.iter().enumerate().map(piece).collect()
}

#[test]
fn the_pieces_of_a_line_go_behind_one_another() {
    let long = "x".repeat(450);
    let mut records = lines(&["before"]);
    records.extend(pieces(&["a", &long, "b", "c"]));
    records.extend(lines(&["behind"]));
    let pages = pages(FormatName::Text, &records, budget(200));
    let whole: String = pages.iter().map(|page| page.output.as_str()).collect();
    assert_eq!(whole, format!("before\na{long}bc\nbehind\n"));
    let partial: Vec<_> = pages.iter().map(|page| page.partial).collect();
    assert_eq!(partial, [true, true, true, false]);
}

#[test]
fn the_pieces_of_an_element_are_fragments() {
    let long = format!("\"{}", "x".repeat(450));
    let mut records = vec![Record::Json { text: "1".into() }];
    records.extend(pieces(&[&long, "y", "z\""]));
    records.push(Record::Json { text: "2".into() });
    let pages = pages(FormatName::Json, &records, budget(200));
    let [first, fragments @ .., last] = &pages[..] else {
        unreachable!("{pages:?}")
    };
    assert_eq!(
        (first.output.as_str(), last.output.as_str()),
        ("[1]", "[2]")
    );
    let mut whole = String::new();
    for page in fragments {
        let read: Vec<serde_json::Value> = serde_json::from_str(&page.output).unwrap();
        assert_eq!(read.len(), 1);
        whole.push_str(read[0]["fragment"].as_str().unwrap());
    }
    assert_eq!(whole, format!("{long}yz\""));
    assert!(fragments.iter().all(|page| page.partial));
}

#[test]
fn what_lies_behind_a_cursor_is_what_the_page_before_did_not_show() {
    let text = |text: &str| text.to_owned();
    let cases = [
        Record::Output {
            text: text("äbcdef"),
        },
        Record::Information {
            text: text("äbcdef"),
            shown: true,
        },
        Record::Warning {
            text: text("äbcdef"),
        },
        Record::Verbose {
            text: text("äbcdef"),
        },
        Record::Debug {
            text: text("äbcdef"),
        },
        error("äbcdef"),
        Record::Error(ErrorRecord {
            rendered: text("Get-X: äbcdef\n"),
            ..ErrorRecord::default()
        }),
    ];
    for record in cases {
        let seen = as_seen(&record).unwrap().into_owned();
        assert_eq!(rest_of(record.clone(), 0), record);
        let prefix = seen.chars().count() - 6;
        for offset in prefix..=seen.chars().count() {
            let rest = rest_of(record.clone(), offset as u64);
            let left = skip_characters(&seen, offset);
            let shown = match &rest {
                Record::Error(error) if error.rendered.is_empty() => error.message.clone(),
                Record::Error(error) => error.rendered.clone(),
                Record::Output { text }
                | Record::Information { text, .. }
                | Record::Warning { text }
                | Record::Verbose { text }
                | Record::Debug { text } => text.clone(),
                other => unreachable!("{other:?}"),
            };
            // An error's console form that was shown to its end leaves nothing to show.
            if !(shown.is_empty() || left.is_empty()) {
                assert_eq!(shown, left, "{record:?} from {offset}");
            }
        }
    }
}

#[test]
fn errors_and_warnings_are_listed_on_the_page_they_belong_to() {
    let mut records = lines(&["one"]);
    records.push(error("broken"));
    records.push(Record::Warning {
        text: "careful".into(),
    });
    let text = &pages(FormatName::Text, &records, PageBudget::default())[0];
    assert_eq!(text.output, "one\nbroken\nWARNING: careful\n");
    assert_eq!((text.errors.len(), text.warnings.len()), (1, 1));
    let json = &pages(FormatName::Json, &records, PageBudget::default())[0];
    assert_eq!(
        (json.output.as_str(), json.errors.len(), json.warnings.len()),
        ("[]", 1, 1)
    );
}

#[test]
fn a_long_message_is_cut_in_the_list_and_says_so() {
    let page = &pages(
        FormatName::Json,
        &[error(&"m".repeat(50_000))],
        PageBudget::default(),
    )[0];
    let message = &page.errors[0].message;
    assert_eq!(message.chars().count(), 8_000);
    assert!(message.ends_with("has all)"));
}

#[test]
fn cursors_survive_the_wire_and_nonsense_is_refused() {
    for cursor in [
        Cursor::default(),
        Cursor::at(77),
        Cursor {
            record: u64::MAX,
            offset: 9,
        },
    ] {
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
    }
    for nonsense in [
        "",
        "r",
        "7",
        "r1-",
        "r-1",
        "rx",
        "r1-2-3",
        "r99999999999999999",
    ] {
        assert!(nonsense.parse::<Cursor>().is_err(), "{nonsense}");
    }
}

fn any_record() -> impl Strategy<Value = Record> {
    let text = prop_oneof![4 => ".{0,60}", 1 => ".{0,900}"];
    (0..7, text).prop_map(|(kind, text)| match kind {
        0..=2 => Record::Output { text },
        3 => Record::Json {
            text: serde_json::to_string(&text).unwrap(),
        },
        4 => error(&text),
        5 => Record::Warning { text },
        _ => Record::Information { text, shown: false },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_is_lost_repeated_or_too_long(
        records in prop::collection::vec(any_record(), 0..40),
        characters in 200_u64..900,
        json in any::<bool>(),
    ) {
        let format = if json { FormatName::Json } else { FormatName::Text };
        let pages = pages(format, &records, budget(characters));
        let mut text = String::new();
        let mut elements = Vec::new();
        for page in &pages {
            let listed: usize = page.errors.iter().map(|error| error.message.chars().count())
                .chain(page.warnings.iter().map(|warning| warning.chars().count()))
                .sum();
            prop_assert!(page.output.chars().count() + listed <= usize::try_from(characters).unwrap());
            text.push_str(&page.output);
            if json {
                elements.extend(serde_json::from_str::<Vec<serde_json::Value>>(&page.output).unwrap());
            }
        }
        let errors = pages.iter().map(|page| page.errors.len()).sum::<usize>();
        let warnings = pages.iter().map(|page| page.warnings.len()).sum::<usize>();
        prop_assert_eq!(errors, records.iter().filter(|r| matches!(r, Record::Error(_))).count());
        prop_assert_eq!(warnings, records.iter().filter(|r| matches!(r, Record::Warning { .. })).count());
        if json {
            let mut whole = String::new();
            for element in elements {
                match element.get("fragment") {
                    Some(fragment) => whole.push_str(fragment.as_str().unwrap()),
                    None => whole.push_str(&element.to_string()),
                }
            }
            let expected: String = records.iter().filter_map(|record| match record {
                Record::Json { text } => Some(text.as_str()),
                _ => None,
            }).collect();
            prop_assert_eq!(whole, expected);
        } else {
            let expected: String = records.iter().filter_map(as_seen)
                .flat_map(|line| [line.into_owned(), "\n".to_owned()]).collect();
            prop_assert_eq!(text, expected);
        }
    }
}
