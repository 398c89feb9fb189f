//! Answers as Rust types: asked for, checked, corrected, and handed out field by field.

#![cfg(all(feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently::types::rt::Runtime;
use agently::Provisional;
use serde::Deserialize;
use support::{agent, assert_says, in_virtual_time, run, threads};

/// A ticket of the help desk.
#[derive(Clone, Debug, PartialEq, Deserialize, Output)]
struct Ticket {
    /// What it is about
    #[output(max_len = 20, not_empty)]
    title: String,
    /// How urgent it is
    priority: Priority,
    /// What has to be done, in order
    #[output(min_items = 1, max_items = 3, each(max_len = 12))]
    steps: Vec<String>,
    /// How sure that is
    #[output(min = 0, max = 1)]
    confidence: Option<f64>,
    #[output(pattern = "^[A-Z]{2}-[0-9]+$")]
    reference: Option<String>,
    /// Who asked
    customer: Option<Customer>,
    #[serde(default)]
    tags: BTreeMap<String, Tag>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Output)]
#[serde(rename_all = "lowercase")]
enum Priority {
    /// It can wait
    Low,
    /// Today
    High,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Output)]
struct Customer {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Output)]
struct Tag(#[output(min = 1)] u8);

const GOOD: &str = r#"{"title":"Printer","priority":"high","steps":["look","repair"]}"#;

fn good() -> Ticket {
    Ticket {
        title: "Printer".into(),
        priority: Priority::High,
        steps: vec!["look".into(), "repair".into()],
        confidence: None,
        reference: None,
        customer: None,
        tags: BTreeMap::new(),
    }
}

fn ticket(runtime: &Runtime, mock: &MockProvider) -> Request {
    agent(runtime, mock.clone())
        .input("The printer is on fire.")
        .output_type::<Ticket>()
}

fn answers(texts: &[&str]) -> MockProvider {
    texts.iter().fold(MockProvider::new(), |mock, text| {
        mock.reply(Reply::text(*text))
    })
}

#[test]
fn the_type_is_told_to_the_model_and_comes_back() {
    in_virtual_time([1], |runtime| async move {
        let mock = answers(&[GOOD]);
        let result = ticket(&runtime, &mock).get_result();
        let read: Ticket = result.async_get_data_object().await.unwrap();
        assert_eq!(read, good());
        let prompt = mock.requests()[0].messages.last().unwrap().text();
        for line in [
            r#"{ // A ticket of the help desk."#,
            r#"  "title": <string>, // What it is about (required, not empty, at most 20 characters)"#,
            r#"  // How urgent it is"#,
            r#"  // - "low": It can wait"#,
            r#"  "priority": <"low" | "high">, // required"#,
            r#"  "steps": [ // What has to be done, in order (required, 1 to 3 items)"#,
            r#"    <string>, // at most 12 characters"#,
            r#"  "confidence": <number>, // How sure that is (from 0 to 1)"#,
            r#"  "customer": { // Who asked"#,
            r#"    "name": <string> // required"#,
            r#"    <name>: <integer>, // at least 1"#,
        ] {
            assert!(
                prompt.lines().any(|found| found == line),
                "{line}\n{prompt}"
            );
        }
    });
}

#[test]
fn what_may_be_missing_or_null_is_not_asked_for() {
    let with = |more: &str| GOOD.replace('}', &format!(",{more}}}"));
    for (answer, expected) in [
        (with(r#""customer":null,"confidence":null"#), good()),
        (
            with(r#""customer":{"name":"Ann"},"confidence":1,"tags":{"hot":3}"#),
            Ticket {
                confidence: Some(1.0),
                customer: Some(Customer { name: "Ann".into() }),
                tags: [("hot".to_owned(), Tag(3))].into(),
                ..good()
            },
        ),
    ] {
        in_virtual_time([1], |runtime| {
            let (mock, expected) = (answers(&[&answer]), expected.clone());
            async move {
                let result = ticket(&runtime, &mock).get_result();
                let read: Ticket = result.async_get_data_object().await.unwrap();
                assert_eq!(read, expected);
                assert_eq!(mock.requests().len(), 1);
            }
        });
    }
}

/// A bad answer, what the model is told, and the kind of the error if it does not get better.
const REFUSED: &[(&str, &str, ErrorKind)] = &[
    (
        r#"{"title":7,"priority":"low","steps":["a"]}"#,
        "`title`: invalid type: integer `7`, expected a string",
        ErrorKind::Type,
    ),
    (
        r#"{"title":"t","priority":"low","steps":["a",["b"]]}"#,
        "`steps[1]`: invalid type: sequence, expected a string",
        ErrorKind::Type,
    ),
    (
        r#"{"title":null,"priority":"low","steps":["a"]}"#,
        "`title`: invalid type: null, expected a string",
        ErrorKind::Type,
    ),
    (
        r#"{"title":"t","steps":["a"]}"#,
        "`priority` is missing",
        ErrorKind::Type,
    ),
    (
        r#"{"title":"t","priority":"low","steps":["a"],"customer":{}}"#,
        "`customer.name` is missing",
        ErrorKind::Type,
    ),
    (
        r#"{"title":" ","priority":"low","steps":["a"]}"#,
        "`title` must not be empty",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"A title that is too long","priority":"low","steps":["a"]}"#,
        "`title` must have at most 20 characters, and has 24",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"t","priority":"urgent","steps":["a"]}"#,
        "`priority` must be one of \"low\", \"high\"",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"t","priority":"low","steps":[]}"#,
        "`steps` must have 1 to 3 items, and has 0",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"t","priority":"low","steps":["a","far too long a step"]}"#,
        "`steps[1]` must have at most 12 characters, and has 19",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"t","priority":"low","steps":["a"],"confidence":1.5}"#,
        "`confidence` must be at most 1, and is 1.5",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"t","priority":"low","steps":["a"],"reference":"ab-1"}"#,
        "`reference` must match the regular expression ^[A-Z]{2}-[0-9]+$",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"t","priority":"low","steps":["a"],"tags":{"x":0}}"#,
        "`tags.x` must be at least 1, and is 0",
        ErrorKind::Constraint,
    ),
    (
        r#"{"title":"t","priority":"low","steps":["a"],"tags":{"x":300}}"#,
        "`tags.x`: invalid value: integer `300`, expected u8",
        ErrorKind::Type,
    ),
];

#[test]
fn what_does_not_fit_is_asked_for_again_with_path_and_reason() {
    for (bad, reason, _) in REFUSED {
        in_virtual_time([1], |runtime| async move {
            let mock = answers(&[bad, GOOD]);
            let result = ticket(&runtime, &mock).get_result();
            let read: Ticket = result.async_get_data_object().await.unwrap();
            assert_eq!(read, good());
            let second = mock.requests()[1].messages.last().unwrap().text();
            assert!(second.contains(reason), "{reason}\n{second}");
            let meta = result.async_get_meta().await.unwrap();
            assert_eq!(meta.attempts[0].failure.as_deref(), Some(*reason));
        });
    }
}

#[test]
fn what_never_fits_is_an_error_and_never_data() {
    for (bad, reason, kind) in REFUSED {
        in_virtual_time([1], |runtime| async move {
            let mock = answers(&[bad]).repeat_last();
            let result = ticket(&runtime, &mock).max_retries(1).get_result();
            let error = result.async_get_data_object::<Ticket>().await.unwrap_err();
            assert_says(&error, &[reason]);
            assert_eq!(error.kind(), *kind, "{bad}");
            assert!(error.is_retryable());
            assert!(error.partial_text().is_some());
            assert_eq!(error.meta().unwrap().attempts.len(), 2);
            result.async_get_data().await.unwrap_err();
            result.async_get_text().await.unwrap_err();
        });
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    in_virtual_time([1], |runtime| async move {
        let typed = agent(&runtime, answers(&[r#"{"a":"x"}"#]))
            .output_type::<Pair>()
            .max_retries(0);
        let error = typed.get_result().async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        assert_says(
            &error,
            &["`b` is missing; `a`: invalid type: string \"x\", expected i32"],
        );
    });
}

#[derive(Debug, Deserialize, Output)]
#[expect(dead_code, reason = "never read")]
struct Pair {
    a: i32,
    b: i32,
}

#[test]
fn a_broken_limit_stops_the_answer_when_the_field_closes() {
    in_virtual_time([1, 2], |runtime| async move {
        let bad = r#"{"priority":"urgent","title":"t","steps":["a","b","c"]}"#;
        let mock = MockProvider::new()
            .reply(Reply::text(bad).chunked(1).delay(Duration::from_secs(1)))
            .reply(Reply::text(GOOD));
        let start = runtime.now();
        let result = ticket(&runtime, &mock).get_result();
        let read: Ticket = result.async_get_data_object().await.unwrap();
        assert_eq!(read, good());
        let closed = bad.find("\",").unwrap() as u64;
        assert_eq!((runtime.now() - start).as_secs(), closed);
        assert_eq!(mock.cancelled(), 1);
        assert!(result.async_get_meta().await.unwrap().attempts[0].stopped_early);
    });
}

#[derive(Clone, Debug, PartialEq, Deserialize, Output)]
struct Report {
    sections: Vec<Section>,
    /// Fields may have the names of our own methods.
    #[serde(default)]
    wildcard: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Output)]
struct Section {
    title: String,
    points: Option<Vec<String>>,
}

impl Report {
    /// Nor do methods of the user's own stand in the way.
    fn sections(&self) -> usize {
        self.sections.len()
    }
}

const REPORT: &str = r#"{"sections":[{"title":"One","points":["a","b"]},{"title":"Two"}]}"#;

fn report(runtime: &Runtime, mock: MockProvider) -> ModelResult {
    agent(runtime, mock).output_type::<Report>().get_result()
}

fn slowly(text: &str) -> Reply {
    Reply::text(text).chunked(1).delay(Duration::from_secs(1))
}

#[test]
fn finished_items_come_as_their_type_while_the_rest_is_still_coming() {
    in_virtual_time([1, 2, 3], |runtime| async move {
        let start = runtime.now();
        let result = report(&runtime, MockProvider::new().reply(slowly(REPORT)));
        let mut sections = result.get_async_events(Report::paths().sections().each());
        let mut seen = Vec::new();
        while let Some(event) = sections.next().await {
            let section: Provisional<Section> = event.unwrap().done().unwrap();
            let elapsed = (runtime.now() - start).as_secs();
            seen.push((section.path().to_string(), section.attempt(), elapsed));
            if seen.len() == 1 {
                let first = section.into_unaccepted();
                assert_eq!(first.title, "One");
                assert_eq!(first.points.unwrap(), ["a", "b"]);
            }
        }
        let closed = |end: &str| REPORT.find(end).unwrap() as u64;
        let first = ("sections[0]".to_owned(), 1, closed("},"));
        let second = ("sections[1]".to_owned(), 1, closed("}]"));
        assert_eq!(seen, [first, second]);
        let report: Report = result.async_get_data_object().await.unwrap();
        assert_eq!(report.sections(), 2);
    });
}

#[test]
fn a_consumer_that_clears_on_withdrawn_ends_with_the_accepted_items() {
    let bad = r#"{"sections":[{"title":"Wrong"},{"title":4},{"title":"Late"}]}"#;
    for chunk in 1..12 {
        in_virtual_time([1], |runtime| async move {
            let mock = MockProvider::new()
                .reply(Reply::text(bad).chunked(chunk))
                .reply(Reply::text(REPORT).chunked(chunk));
            let result = report(&runtime, mock);
            let mut sections = result.get_async_events(Report::paths().sections().each());
            let (mut kept, mut withdrawn) = (Vec::new(), 0);
            while let Some(event) = sections.next().await {
                match event.unwrap() {
                    FieldEvent::Done(section) => kept.push(section.into_unaccepted()),
                    FieldEvent::Withdrawn(status) => {
                        // What is no section was not handed out.
                        assert_eq!(kept.len(), 2);
                        assert_eq!(status.next_attempt_index, Some(2));
                        kept.clear();
                        withdrawn += 1;
                    }
                    event => panic!("{event:?}"),
                }
            }
            assert_eq!(withdrawn, 1);
            let report: Report = result.async_get_data_object().await.unwrap();
            assert_eq!(kept, report.sections);
        });
    }
}

#[test]
fn handlers_hear_of_their_fields_in_order() {
    in_virtual_time([1], |runtime| async move {
        let result = report(
            &runtime,
            MockProvider::new().reply(Reply::text(REPORT).chunked(2)),
        );
        let heard = std::sync::Mutex::new(Vec::new());
        let note = |line: String| heard.lock().unwrap().push(line);
        let paths = Report::paths();
        let listener = Listener::new()
            .on(paths.sections().each().title(), |event| match event {
                FieldEvent::Delta { path, delta, .. } => note(format!("{path} + {delta}")),
                FieldEvent::Done(title) => note(format!("{} = {}", title.path(), title.value())),
                _ => {}
            })
            .on(paths.sections().each().points().at(1), |event| {
                let point: Option<Provisional<String>> = event.done();
                if let Some(point) = point {
                    note(format!("{} = {}", point.path(), point.value()));
                }
            })
            .on(paths.sections(), |event| {
                if let Some(sections) = event.done() {
                    note(format!("{} sections", sections.value().len()));
                }
            });
        result.async_listen(listener).await.unwrap();
        let heard: Vec<String> = heard
            .into_inner()
            .unwrap()
            .into_iter()
            .filter(|line| !line.contains('+'))
            .collect();
        assert_eq!(
            heard,
            [
                "sections[0].title = One",
                "sections[0].points[1] = b",
                "sections[1].title = Two",
                "2 sections",
            ]
        );
    });
}

#[test]
fn a_text_grows_by_deltas_that_make_up_the_whole() {
    in_virtual_time([1], |runtime| async move {
        let result = report(
            &runtime,
            MockProvider::new().reply(Reply::text(REPORT).chunked(1)),
        );
        let mut events = result.get_async_events(Report::paths().sections().at(1).title());
        let (mut text, mut whole) = (String::new(), None);
        while let Some(event) = events.next().await {
            match event.unwrap() {
                FieldEvent::Delta { delta, .. } => text.push_str(&delta),
                FieldEvent::Done(title) => whole = Some(title.into_unaccepted()),
                event => panic!("{event:?}"),
            }
        }
        assert_eq!(text, "Two");
        assert_eq!(whole.as_deref(), Some("Two"));
    });
}

#[test]
fn a_path_of_another_type_is_refused_before_anything_is_sent() {
    in_virtual_time([1], |runtime| async move {
        let mock = answers(&[REPORT, REPORT]);
        let title = Ticket::paths().title();
        let typed = report(&runtime, mock.clone());
        let mut events = typed.get_async_events(title.clone());
        let error = events.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        assert_says(&error, &["Ticket", "Report", "output_type"]);
        assert!(events.next().await.is_none());

        let untyped = agent(&runtime, mock.clone())
            .output_type::<Ticket>()
            .output(output!({ "title": str }))
            .get_result();
        let listener = Listener::new().on(title, |_| {});
        let error = untyped.async_listen(listener).await.unwrap_err();
        assert_says(&error, &["asked for without a type"]);
        assert!(mock.requests().is_empty());
    });
}

#[derive(Debug, Deserialize, Output)]
#[expect(dead_code, reason = "never read")]
struct Comment {
    text: String,
    replies: Vec<Self>,
}

#[test]
fn a_type_that_contains_itself_is_an_error_of_the_first_read() {
    in_virtual_time([1], |runtime| async move {
        let mock = answers(&["{}"]);
        let result = agent(&runtime, mock.clone())
            .output_type::<Comment>()
            .get_result();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert_says(&error, &["`replies[*]`", "`Comment` contains itself"]);
        let mut events = result.get_async_events(Comment::paths().text());
        let error = events.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(mock.requests().is_empty());
    });
}

#[test]
fn lists_and_plain_values_are_output_types_too() {
    in_virtual_time([1], |runtime| async move {
        let mock = answers(&[r#"["low","high"]"#]);
        let result = agent(&runtime, mock)
            .output_type::<Vec<Priority>>()
            .get_result();
        let mut items = result.get_async_events(Vec::<Priority>::paths().each());
        let first = items.next().await.unwrap().unwrap();
        assert!(matches!(first, FieldEvent::Delta { .. }));
        let all: Vec<Priority> = result.async_get_data_object().await.unwrap();
        assert_eq!(all, [Priority::Low, Priority::High]);
    });
}

#[test]
fn blocking_code_reads_the_same() {
    let runtime = threads();
    let result = report(&runtime, answers(&[REPORT]));
    let titles: Vec<String> = result
        .get_events(Report::paths().sections().each().title())
        .filter_map(|event| event.unwrap().done())
        .map(Provisional::into_unaccepted)
        .collect();
    assert_eq!(titles, ["One", "Two"]);
    let mut heard = 0;
    let listener = Listener::new().on(Report::paths().sections(), |_| heard += 1);
    result.listen(listener).unwrap();
    assert_eq!(heard, 1);
    let report: Report = result.get_data_object().unwrap();
    assert_eq!(report.sections(), 2);
}

#[test]
fn a_typed_stream_can_be_read_in_a_task() {
    run(&threads(), |runtime| async move {
        let result = report(&runtime, answers(&[REPORT]));
        let events = result.get_async_events(Report::paths().wildcard());
        let task = runtime.spawn(events.collect::<Vec<_>>());
        // Not in the answer, so nothing happens there.
        assert_eq!(task.await.unwrap().len(), 0);
        // The field's name is also that of our method, which then has to be called in full.
        assert_eq!(Report::paths().wildcard().wildcard(), "wildcard");
        assert_eq!(FieldPath::wildcard(&Report::paths()), "");
    });
}
