//! The shapes of each format, sentence by sentence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod format_support;

use agently_api::data::CompletionSource::{ObservedBoundary, SyntheticRepair};
use agently_core::format::Format;
use agently_core::instant::{DocumentState, Fault};
use format_support::{lawful, letters, mixed, read, table, texts};
use serde_json::json;

#[test]
fn hybrid_sections() {
    let cases = [
        (
            "a section per field",
            "### title\nAsync\n\n### body\nOne.\n\nTwo.\n",
            json!({ "title": "Async", "body": "One.\n\nTwo." }),
        ),
        (
            "tags in brackets",
            "### title [text]\nA\n### tags [JSON]\n```json\n[\"x\"]\n```\n### n [json]\n```json\n7\n```",
            json!({ "title": "A", "tags": ["x"], "n": 7 }),
        ),
        (
            "a tag without a blank before it, blanks behind it",
            "###  title[text]  \nA\n",
            json!({ "title": "A" }),
        ),
        (
            "comment lines behind the header",
            "### title\n<!-- the title -->\nA\n### n <!-- a number -->\n<!-- here -->\n```json\n1\n```",
            json!({ "title": "A", "n": 1 }),
        ),
        (
            "a comment on the line of the header",
            "### title // what it is called\nA",
            json!({ "title": "A" }),
        ),
        (
            "a header that is no field is text",
            "### body\nOne\n### Background\nTwo\n### titles\n#### title\n## title\n###title\nThree",
            json!({ "body": "One\n### Background\nTwo\n### titles\n#### title\n## title\n###title\nThree" }),
        ),
        (
            "a header in the middle of a line is text",
            "### body\nsee ### title\nhere",
            json!({ "body": "see ### title\nhere" }),
        ),
        (
            "a text in one fence loses the fence",
            "### body\n```markdown\n# Head\n\ntext\n```\n\n### title\nA",
            json!({ "body": "# Head\n\ntext", "title": "A" }),
        ),
        (
            "also without a line break at the end, and in tildes",
            "### body\n~~~\nx\n~~~",
            json!({ "body": "x" }),
        ),
        (
            "a longer fence holds a shorter one",
            "### body\n````\n```\ncode\n```\n````\n",
            json!({ "body": "```\ncode\n```" }),
        ),
        (
            "a text that only begins with a fence keeps it",
            "### body\n```rust\nfn f() {}\n```\nThat is all.",
            json!({ "body": "```rust\nfn f() {}\n```\nThat is all." }),
        ),
        (
            "two fences stay",
            "### body\n```\na\n```\n```\nb\n```",
            json!({ "body": "```\na\n```\n```\nb\n```" }),
        ),
        (
            "a fence that is never closed stays",
            "### body\n```\na\n### title\nT",
            json!({ "body": "```\na", "title": "T" }),
        ),
        (
            "code at the beginning is no fence",
            "### body\n`x` is a name\n### title\n```x``` too",
            json!({ "body": "`x` is a name", "title": "```x``` too" }),
        ),
        (
            "blank lines at both ends go, others stay",
            "### body\n\n \n  One\n\n\nTwo \n  \n\n### title\n\nT\n\n",
            json!({ "body": "  One\n\n\nTwo ", "title": "T" }),
        ),
        (
            "an empty section",
            "### title\n\n### body\nB\n",
            json!({ "title": "", "body": "B" }),
        ),
        (
            "Windows line ends",
            "### title\r\nA\r\n\r\n### n\r\n```json\r\n4\r\n```\r\n### body\r\none\r\ntwo\r\n",
            json!({ "title": "A", "n": 4, "body": "one\r\ntwo" }),
        ),
        (
            "prose before the first header",
            "Sure, here it is:\n\n# Answer\n\n### title\nA",
            json!({ "title": "A" }),
        ),
        (
            "a fence around the whole",
            "```markdown\n### title\nA\n\n### body\nB\n```\nand\n```\nc\n```\n",
            json!({ "title": "A", "body": "B\n```\nand\n```\nc" }),
        ),
        (
            "a fence around the whole, code inside, no line break at the end",
            "```\n### body\nB\n```js\nx\n```\nC\n```",
            json!({ "body": "B\n```js\nx\n```\nC" }),
        ),
        (
            "JSON without a fence, and text behind it",
            "### tags\n[\"a\",\n \"b\"]\nThese are the tags.\n### n\n5\n### meta\n{\"score\": 1}\n",
            json!({ "tags": ["a", "b"], "n": 5, "meta": { "score": 1 } }),
        ),
        (
            "JSON as models write it",
            "### meta [JSON]\n```json\n// here\n{'score': .5, note: \"a\nb\",}\n```\n",
            json!({ "meta": { "score": 0.5, "note": "a\nb" } }),
        ),
        (
            "marks inside JSON strings are text",
            "### tags\n```json\n[\"### title\", \"```\", \"x\n### n\n```\"]\n```\n### title\nT",
            json!({ "tags": ["### title", "```", "x\n### n\n```"], "title": "T" }),
        ),
        (
            "a header alone: a text is empty, a value is not there",
            "### title\nA\n### n",
            json!({ "title": "A" }),
        ),
        (
            "a repeated field keeps its place and its last value",
            "### n\n1\n### n\n2\n",
            json!({ "n": 2 }),
        ),
    ];
    for (what, text, data) in cases {
        if what.starts_with("a repeated") {
            let read = read(Format::Hybrid, &mixed(), &letters(text));
            assert_eq!(read.data, Some(data), "{what}");
            continue;
        }
        table(Format::Hybrid, &mixed(), &[(what, text, data)]);
    }
}

#[test]
fn hybrid_streams_at_once() {
    let deltas = [
        "### ti",
        "tle [te",
        "xt]\nAsy",
        "nc F",
        "irst\n",
        "\n",
        "#",
        "## tags",
        "\n```js",
        "on\n[\"a",
        "b\", \"",
        "c\"",
        "]\n``",
        "`\n### body\nx",
        "\n### nothing",
        "\n",
    ];
    let read = read(Format::Hybrid, &mixed(), &deltas);
    assert_eq!(
        read.deltas(),
        [
            (2, "title", "Asy"),
            (3, "title", "nc F"),
            (4, "title", "irst"),
            (9, "tags[0]", "a"),
            (10, "tags[0]", "b"),
            (11, "tags[1]", "c"),
            (13, "body", "x"),
            (14, "body", "\n### nothing"),
        ]
    );
    let done: Vec<_> = read
        .events
        .iter()
        .filter_map(|event| Some((event.at, event.path.as_str(), event.source?)))
        .collect();
    assert_eq!(
        done,
        [
            (8, "title", ObservedBoundary),
            (10, "tags[0]", ObservedBoundary),
            (11, "tags[1]", ObservedBoundary),
            (12, "tags", ObservedBoundary),
            (16, "body", SyntheticRepair),
        ]
    );
    assert_eq!(read.state, DocumentState::Complete);
}

#[test]
fn hybrid_faults_are_never_guessed() {
    for (text, fault) in [
        ("### title\nA\n### n\nabout 5\n", Fault::NoValue),
        ("### n\n```json\n5 apples\n```\n", Fault::BadWord),
        ("### n\n```json\ntrueish\n```\n", Fault::BadWord),
        ("### tags\n- a\n- b\n", Fault::BadNumber),
        (
            "### tags\n```json\n[\"a\"\n```\n### title\nA",
            Fault::NoComma,
        ),
        ("### meta\n{\"score\": 1,\n### title\nA", Fault::Unfinished),
    ] {
        let read = lawful(Format::Hybrid, &mixed(), text);
        let DocumentState::Silenced { fault: found, .. } = read.state else {
            panic!("{text:?}: {:?}", read.state);
        };
        assert_eq!(found, fault, "{text:?}");
    }
    let DocumentState::Silenced { offset, .. } =
        lawful(Format::Hybrid, &mixed(), "### n\n\n```json\n12x").state
    else {
        panic!("read");
    };
    assert_eq!(offset, 17);
}

#[test]
fn flat_markdown_sections() {
    let cases = [(
        "one and two hashes are text",
        "### title\nA\n### body\n# One\n## title\n# body\ntext\n",
        json!({ "title": "A", "body": "# One\n## title\n# body\ntext" }),
    )];
    table(Format::FlatMarkdown, &texts(), &cases);
}

#[test]
fn xml_fields() {
    let cases = [
        (
            "the whole shape",
            "<agently_output>\n<field name=\"title\" type=\"text\">\nAsync\n</field>\n\
             <field name=\"tags\" type=\"json\">\n[\"a\", {\"b\": null}]\n</field>\n</agently_output>",
            json!({ "title": "Async", "tags": ["a", { "b": null }] }),
        ),
        (
            "not XML: entities and other elements are text",
            "<agently_output><field name=\"body\" type=\"text\">a &amp; b <b>c</b> < d </fields> \
             <![CDATA[x]]> <field name=\"title\"></field></agently_output>",
            json!({ "body": "a &amp; b <b>c</b> < d </fields> <![CDATA[x]]> <field name=\"title\">" }),
        ),
        (
            "one line break at each end goes, others stay",
            "<field name=\"body\" type=\"text\">\n\n  a \n\n</field><field name='title'>\r\n b\r\n</field>",
            json!({ "body": "\n  a \n", "title": " b" }),
        ),
        (
            "empty texts",
            "<field name=\"title\" type=\"text\"></field><field name=\"body\" type=\"text\">\n</field>",
            json!({ "title": "", "body": "" }),
        ),
        (
            "unknown fields are passed over",
            "<agently_output><field name=\"x\" type=\"text\"><field name=\"title\">no</field>\
             <field name=\"title\" type=\"text\">T</field></agently_output>",
            json!({ "title": "T" }),
        ),
        (
            "no outer element, prose and a fence around",
            "Here:\n```xml\n<field type=\"text\" name=\"title\">T</field>\n```\nDone. <field",
            json!({ "title": "T" }),
        ),
        (
            "without a type the schema says it",
            "<field name=\"title\">T</field><field name=\"n\">5</field><field name=\"meta\">\n{\"note\": \"</field>\"}</field>",
            json!({ "title": "T", "n": 5, "meta": { "note": "</field>" } }),
        ),
        (
            "JSON in a fence, and a word of another type",
            "<field name=\"n\" type=\"int\">\n```json\n5\n```\n</field><field name=\"title\" type=\"str\">T</field>",
            json!({ "n": 5, "title": "T" }),
        ),
        (
            "JSON for a text",
            "<field name=\"title\" type=\"json\">\"T\\n\"</field>",
            json!({ "title": "T\n" }),
        ),
        (
            "an empty JSON field is not there",
            "<field name=\"n\" type=\"json\"></field><field name=\"title\" type=\"text\">T</field>",
            json!({ "title": "T" }),
        ),
        (
            "nothing behind the outer element counts",
            "<agently_output><field name=\"title\" type=\"text\">T</field></agently_output>\n\
             <field name=\"body\" type=\"text\">no</field>",
            json!({ "title": "T" }),
        ),
        (
            "an element that is never closed",
            "<agently_output>\n<field name=\"title\" type=\"text\">\nT</fie",
            json!({ "title": "T</fie" }),
        ),
        (
            "a closing tag that was forgotten",
            "<agently_output>\n<field name=\"title\" type=\"text\">\nT\n</agently_output>\n",
            json!({ "title": "T" }),
        ),
    ];
    table(Format::XmlField, &mixed(), &cases);
}

#[test]
fn xml_streams_at_once() {
    let deltas = [
        "<agently_output>\n<field na",
        "me=\"title\" type=\"text\">\nA",
        "B\n",
        "C <",
        "b> </fi",
        "eld> no \n</",
        "field>",
        "<field name=\"n\" type=\"json\">1",
        "2",
        "</field></agently_output>",
    ];
    let read = read(Format::XmlField, &mixed(), &deltas);
    // It does say `</field>`: the text ends there.
    assert_eq!(
        read.deltas(),
        [
            (1, "title", "A"),
            (2, "title", "B"),
            (3, "title", "\nC "),
            (4, "title", "<b> "),
            (9, "n", "12"),
        ]
    );
    let done: Vec<_> = read
        .events
        .iter()
        .filter_map(|event| Some((event.at, event.path.as_str(), event.source?)))
        .collect();
    assert_eq!(
        done,
        [(5, "title", ObservedBoundary), (9, "n", ObservedBoundary)]
    );
}

#[test]
fn xml_faults_are_never_guessed() {
    for text in [
        "<field name=\"n\" type=\"json\">five</field>",
        "<field name=\"n\" type=\"json\">5 apples</field>",
        "<field name=\"tags\" type=\"json\">[1, 2</field>",
        "<field name=\"tags\" type=\"json\">[\"a\" \"b\"]</field>",
    ] {
        let read = lawful(Format::XmlField, &mixed(), text);
        assert!(
            matches!(read.state, DocumentState::Silenced { .. }),
            "{text:?}: {:?}",
            read.state
        );
    }
}

#[test]
fn an_answer_without_a_document() {
    for format in [
        Format::Json,
        Format::Hybrid,
        Format::XmlField,
        Format::YamlLiteral,
    ] {
        for text in [
            "",
            "  \n",
            "I cannot do that.",
            "### heading\ntext",
            "<b>x</b>",
            "```yaml\nx: 1\n```",
        ] {
            if format == Format::YamlLiteral && text.starts_with("```yaml") {
                continue;
            }
            let read = lawful(format, &mixed(), text);
            assert_eq!(read.state, DocumentState::Missing, "{format} {text:?}");
            assert_eq!(read.events, [], "{format} {text:?}");
        }
    }
}
