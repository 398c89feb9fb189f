//! What holds for every answer in every format: cuts, deltas, round trips, wrong formats.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod format_support;

use std::fmt::Write as _;

use agently_api::data::{CompletionSource, WarningKind};
use agently_core::format::Format;
use agently_core::instant::DocumentState;
use agently_core::Schema;
use format_support::{lawful, read, schema, skim};
use proptest::prelude::*;
use serde_json::{json, Value};

const EXPLICIT: [Format; 4] = [
    Format::Json,
    Format::Hybrid,
    Format::XmlField,
    Format::YamlLiteral,
];

/// Fields `t0`, `t1`, … for texts and `v0`, `v1`, … for other values.
fn schema_of(data: &Value) -> Schema {
    let fields = data.as_object().unwrap();
    let fields = fields.iter().map(|(name, value)| {
        let leaf = if value.is_string() {
            json!(["str"])
        } else if value.is_array() {
            json!([])
        } else if value.is_object() {
            json!({})
        } else {
            json!(["number"])
        };
        (name.clone(), leaf)
    });
    schema(Value::Object(fields.collect()))
}

/// The data as a model that follows the prompt writes it.
fn written(format: Format, data: &Value) -> String {
    let fields = data.as_object().unwrap();
    let mut text = String::new();
    match format {
        Format::Json | Format::Auto => return serde_json::to_string_pretty(data).unwrap(),
        Format::Hybrid | Format::FlatMarkdown => {
            for (name, value) in fields {
                let body = match value {
                    Value::String(text) => format!("[text]\n{text}"),
                    value => format!("[JSON]\n```json\n{value:#}\n```"),
                };
                write!(text, "### {name} {body}\n\n").unwrap();
            }
        }
        Format::XmlField => {
            text.push_str("<agently_output>\n");
            for (name, value) in fields {
                let (kind, body) = match value {
                    Value::String(text) => ("text", text.clone()),
                    value => ("json", format!("{value:#}")),
                };
                writeln!(
                    text,
                    "<field name=\"{name}\" type=\"{kind}\">\n{body}\n</field>"
                )
                .unwrap();
            }
            text.push_str("</agently_output>");
        }
        Format::YamlLiteral => {
            text.push_str("<<<BEGIN AGENTLY_YAML>>>\n");
            mapping(fields, 0, &mut text);
            text.push_str("<<<END AGENTLY_YAML>>>");
        }
        _ => panic!("a format without a writer"),
    }
    text
}

fn mapping(fields: &serde_json::Map<String, Value>, depth: usize, text: &mut String) {
    for (name, value) in fields {
        text.push_str(&"  ".repeat(depth));
        write!(text, "{name}:").unwrap();
        node(value, depth, text);
    }
}

fn node(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            mapping(fields, depth + 1, text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            for item in items {
                text.push_str(&"  ".repeat(depth + 1));
                text.push('-');
                node(item, depth + 1, text);
            }
        }
        Value::String(string) => {
            let body = string.trim_end_matches('\n');
            let blank = |line: &str| !line.is_empty() && line.trim().is_empty();
            if body.trim().is_empty() || body.contains('\r') || body.split('\n').any(blank) {
                writeln!(text, " {value}").unwrap();
                return;
            }
            // The indentation is said, because the first line may begin with blanks.
            let chomp = match string.len() - body.len() {
                0 => "-",
                1 => "",
                _ => "+",
            };
            writeln!(text, " |2{chomp}").unwrap();
            for line in string.strip_suffix('\n').unwrap_or(string).split('\n') {
                if !line.is_empty() {
                    text.push_str(&"  ".repeat(depth + 1));
                    text.push_str(line);
                }
                text.push('\n');
            }
        }
        value => writeln!(text, " {value}").unwrap(),
    }
}

/// Pieces of text that have a meaning in some format.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "word ",
        "é",
        "😀",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "# ",
        "### ",
        "### other\n",
        "t0",
        "<b>",
        "</b>",
        "<",
        "</",
        "</fie",
        "</field ",
        "&amp;",
        "```",
        "```json\n",
        "`",
        ": ",
        ":",
        "- ",
        "\"",
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        "1",
        "null",
        "<<<",
        "|",
        "%",
        "@",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1000_i32..1000).prop_map(|number| Value::from(f64::from(number) / 8.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(inner, 0..4).prop_map(|values| {
                let fields = values.into_iter().enumerate();
                Value::Object(fields.map(|(n, value)| (format!("k{n}"), value)).collect())
            }),
        ]
    })
}

fn data() -> impl Strategy<Value = Value> {
    let texts = prop::collection::vec(text(), 0..3);
    let values = prop::collection::vec(
        value().prop_filter("no text", |value| !value.is_string()),
        0..3,
    );
    (texts, values)
        .prop_filter("some field", |(texts, values)| {
            texts.len() + values.len() > 0
        })
        .prop_map(|(texts, values)| {
            let texts = texts.into_iter().enumerate();
            let values = values.into_iter().enumerate();
            texts
                .map(|(n, text)| (format!("t{n}"), Value::from(text)))
                .chain(values.map(|(n, value)| (format!("v{n}"), value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
}

/// The data that a Markdown section can hold: it has no blank lines at its ends, no header of
/// another field and no fence around it.
fn for_sections(mut data: Value) -> Value {
    for (_, value) in data.as_object_mut().unwrap() {
        if let Value::String(text) = value {
            let kept = text.replace("### t0", "t0").replace("```json", "json");
            *text = format!("-{}.", kept.trim());
        }
    }
    data
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(data in data()) {
        for format in EXPLICIT {
            let data = if format == Format::Hybrid { for_sections(data.clone()) } else { data.clone() };
            let text = written(format, &data);
            let read = lawful(format, &schema_of(&data), &text);
            prop_assert_eq!(read.state, DocumentState::Complete, "{} {:?}", format, text);
            prop_assert_eq!(read.data.as_ref(), Some(&data), "{} {:?}", format, text);
            prop_assert_eq!(read.warnings, vec![]);
        }
    }

    #[test]
    fn whatever_is_written_keeps_the_laws(pieces in prop::collection::vec(prop::sample::select(vec![
        "### t0", "### t1 [text]", "### v0 [JSON]", "\n", "\n", "\n", "```", "```json", "```yaml", "~~~", "<!-- c -->",
        "<agently_output>", "<field name=\"t0\" type=\"text\">", "<field name=\"v0\" type=\"json\">",
        "</field>", "</agently_output>", "<<<BEGIN AGENTLY_YAML>>>", "<<<END AGENTLY_YAML>>>",
        "t0:", "v0:", " |", " >-", "  ", " ", "- ", "text", "12", "\"q\"", "{\"a\": 1}", "[1, 2]",
        "{\"t0\":", "}", "[", "'", "# c", "é", "\r\n", "null", "true", "---",
    ]), 0..16)) {
        let schema = schema(json!({ "t0": ["str"], "t1": ["str"], "v0": ["any"] }));
        for format in EXPLICIT {
            // A repeated field starts anew, which the check of the events does not know.
            let text = pieces.concat();
            let repeats = ["t0", "t1", "v0", "a\":"].iter().any(|name| text.matches(name).count() > 1);
            if !repeats {
                lawful(format, &schema, &text);
            }
        }
    }

    #[test]
    fn nothing_is_sent_late(data in data()) {
        // A text that is cut anywhere has sent all of it but the blanks at its end and what may
        // become a mark.
        let data = for_sections(data);
        for format in [Format::Hybrid, Format::XmlField] {
            let text = written(format, &data);
            let schema = schema_of(&data);
            for (name, value) in data.as_object().unwrap() {
                let Value::String(value) = value else { continue };
                let marker = match format {
                    Format::Hybrid => format!("### {name} [text]\n"),
                    _ => format!("name=\"{name}\" type=\"text\">\n"),
                };
                let start = text.find(&marker).unwrap() + marker.len();
                for (cut, _) in value.char_indices().skip(1) {
                    let sent = value[..cut].to_owned();
                    let read = read(format, &schema, &[&text[..start + cut], ""]);
                    let joined: String = read.deltas().into_iter()
                        .filter(|(at, path, _)| *at == 0 && path == name)
                        .map(|(_, _, delta)| delta)
                        .collect();
                    prop_assert!(sent.starts_with(&joined));
                    let held = &sent[joined.len()..];
                    let may_be_held = match format {
                        Format::Hybrid => held.trim_start().is_empty()
                            || held.trim_start_matches(['\n', ' ', '\t']).starts_with('#'),
                        _ => held == "\n" || "\n</field>".contains(held) || "</agently_output>".starts_with(held.trim_start()),
                    };
                    prop_assert!(may_be_held, "{} held {:?} of {:?}", format, held, sent);
                }
            }
        }
    }
}

#[test]
fn every_format_asked_every_format_answered() {
    let data = json!({
        "title": "A title: with marks",
        "body": "One.\n\nTwo <b>and</b> \"three\".",
        "tags": ["x", "y"],
        "meta": { "score": 0.5, "note": "n" },
    });
    let schema = schema(json!({
        "title": ["str"],
        "body": ["str"],
        "tags": [["str"]],
        "meta": { "score": ["float"], "note": ["str"] },
    }));
    for asked in EXPLICIT {
        for answered in EXPLICIT {
            let text = written(answered, &data);
            let read = lawful(asked, &schema, &text);
            let about = format!("{answered} for {asked}");
            assert_eq!(read.state, DocumentState::Complete, "{about}");
            assert_eq!(read.data.as_ref(), Some(&data), "{about}");
            assert_eq!(read.format, answered, "{about}");
            let expected: &[WarningKind] = if asked == answered {
                &[]
            } else {
                &[WarningKind::Format]
            };
            assert_eq!(read.warnings, expected, "{about}");
            // It begins so: it streams like what it is.
            assert_eq!(
                read.joined()["body"],
                data["body"].as_str().unwrap(),
                "{about}"
            );

            // Behind prose it is only known at the end, except where it is what was asked for.
            let prose = format!("Here is what you asked for.\n\n{text}\n");
            let read = lawful(asked, &schema, &prose);
            if asked == Format::Json && answered == Format::Hybrid {
                // Behind prose, the first fenced JSON is the document, whatever it holds.
                continue;
            }
            assert_eq!(read.data.as_ref(), Some(&data), "{about} behind prose");
            assert_eq!(read.warnings, expected, "{about} behind prose");
            if asked != answered {
                assert!(read.deltas().is_empty(), "{about} behind prose");
                let late = CompletionSource::FinalReconciliation;
                assert!(read
                    .completions()
                    .iter()
                    .all(|(_, _, source)| *source == late));
            }
        }
    }
}

#[test]
fn texts_alone_in_every_format() {
    let data = json!({ "title": "T", "body": "# Head\n\ntext" });
    let schema = schema_of(&data);
    for asked in [Format::FlatMarkdown, Format::Hybrid, Format::Auto] {
        for answered in EXPLICIT {
            for around in ["", "```markdown\n", "```\n"] {
                let text = written(answered, &data);
                let text = if around.is_empty() {
                    text
                } else {
                    format!("{around}{text}\n```\n")
                };
                let read = lawful(asked, &schema, &text);
                assert_eq!(
                    read.data.as_ref(),
                    Some(&data),
                    "{answered} for {asked}: {text}"
                );
            }
        }
    }
    // Sections are what was asked for, by either name.
    let read = read(
        Format::FlatMarkdown,
        &schema,
        &[written(Format::Hybrid, &data)],
    );
    assert_eq!(read.warnings, []);
    assert_eq!(read.format, Format::FlatMarkdown);
}

#[test]
fn a_wrong_format_that_is_broken_is_a_fault() {
    let schema = schema(json!({ "title": ["str"], "n": ["int"] }));
    let read = lawful(Format::Hybrid, &schema, "{\"title\": \"T\" \"n\": 1}");
    assert!(matches!(read.state, DocumentState::Silenced { .. }));
    assert_eq!(read.warnings, [WarningKind::Format]);
}

#[test]
fn the_work_is_linear() {
    // A quadratic reader would need minutes for this.
    let long = "word and\n\n ### more < </fiel of it: ".repeat(5_000);
    let data = json!({ "body": format!("-{long}.") });
    let schema = schema_of(&data);
    for format in EXPLICIT {
        let text = written(format, &data);
        assert_eq!(
            skim(format, &schema, &text).as_ref(),
            Some(&data),
            "{format}"
        );
    }
    let held = [
        "\n", " ", "```", "### ", "<", "</field", "<!--", "0", "x: ", "~", "[", "- ",
    ];
    let openers = [
        "",
        "### body\n",
        "```\n### body\n",
        "<field name=\"body\">",
        "body: ",
        "body: |\n  ",
    ];
    for opener in openers {
        for held in held {
            let text = format!("{opener}{}", held.repeat(10_000));
            for format in EXPLICIT {
                let whole = read(format, &schema, &[&text]);
                assert_eq!(
                    skim(format, &schema, &text),
                    whole.data,
                    "{format} {opener:?} {held:?}"
                );
            }
        }
    }
}
