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
use agently_core::Schema;
use format_support::{lawful, letters, read, schema};
use serde_json::{json, Value};

/// Two texts and three values of other kinds.
fn mixed() -> Schema {
    schema(json!({
        "title": ["str", "Title", true],
        "body": ["str", "Body"],
        "tags": [["str", "Tag"]],
        "n": ["int", "Number"],
        "meta": { "score": ["float", "Score"], "note": ["str", "Note"] },
    }))
}

fn texts() -> Schema {
    schema(json!({ "title": ["str", "Title"], "body": ["str", "Body"] }))
}

/// Reads each answer under every cut, and compares the data.
fn table(format: Format, schema: &Schema, cases: &[(&str, &str, Value)]) {
    for (what, text, data) in cases {
        let read = lawful(format, schema, text);
        assert!(
            matches!(read.state, DocumentState::Complete | DocumentState::Open),
            "{what}: {:?}",
            read.state
        );
        assert_eq!(read.data.as_ref(), Some(data), "{what}");
        assert_eq!(read.warnings, [], "{what}");
    }
}

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

/// The lines of a YAML answer between its marks.
fn marked(lines: &str) -> String {
    format!("<<<BEGIN AGENTLY_YAML>>>\n{lines}\n<<<END AGENTLY_YAML>>>")
}

#[test]
fn yaml_documents() {
    let open = schema(json!({}));
    let cases = [
        ("a: 1\nb: x y\nc: true", json!({ "a": 1, "b": "x y", "c": true })),
        (
            "a: ~\nb:\nc: null\nd: Null\ne: NULL\nf: nULL",
            json!({ "a": null, "b": null, "c": null, "d": null, "e": null, "f": "nULL" }),
        ),
        (
            "a: True\nb: FALSE\nc: yes\nd: on\ne: tRue",
            json!({ "a": true, "b": false, "c": "yes", "d": "on", "e": "tRue" }),
        ),
        (
            "a: -12\nb: +3\nc: 0x1F\nd: 0o17\ne: 1e3\nf: .5\ng: 1.\nh: 1.50\ni: 018446744073709551615",
            json!({ "a": -12, "b": 3, "c": 31, "d": 15, "e": 1000.0, "f": 0.5, "g": 1.0, "h": 1.5, "i": 18_446_744_073_709_551_615_u64 }),
        ),
        (
            "a: 12 apples\nb: 1.2.3\nc: 2024-01-31\nd: 1e\ne: 0xg\nf: -\ng: -x\nh: '12'\ni: \"true\"\nj: 12:30",
            json!({ "a": "12 apples", "b": "1.2.3", "c": "2024-01-31", "d": "1e", "e": "0xg", "f": "-", "g": "-x", "h": "12", "i": "true", "j": "12:30" }),
        ),
        (
            "a: |\n  one\n  two\nb: |-\n  one\n\n\nc: |+\n  one\n\n\nd: x",
            json!({ "a": "one\ntwo\n", "b": "one", "c": "one\n\n\n", "d": "x" }),
        ),
        (
            "a: |\n\n  one\n\n    two\n   three\n\n\nb: |2-\n    x\n  y\nc: | # note\n  # no comment\n",
            json!({ "a": "\none\n\n  two\n three\n", "b": "  x\ny", "c": "# no comment\n" }),
        ),
        (
            "a: >\n  one\n  two\n\n  three\n    more\n  four\nb: >-\n  x\n  y\n\nc: >+\n  z\n\n",
            json!({ "a": "one two\nthree\n  more\nfour\n", "b": "x y", "c": "z\n\n\n" }),
        ),
        ("a: |\nb: |-\n\nc: 1", json!({ "a": "", "b": "", "c": 1 })),
        (
            "a: \"x\\ty\\n\\\"\\u00e9\\ud83d\\ude00\\x41\\/\"\nb: 'it''s'\nc: \"\"\nd: ''",
            json!({ "a": "x\ty\n\"é😀A/", "b": "it's", "c": "", "d": "" }),
        ),
        (
            "a: \"one\n  two\n\n  three \\\n  four\"\nb: 'x\n  y'\nc: one\n  two\n\n  three: four",
            Value::Null,
        ),
        (
            "a: \"one\n  two\n\n  three \\\n  four\"\nb: 'x\n  y'\nc: one\n  two\n\n  three\nd: 1\n  2",
            json!({ "a": "one two\nthree four", "b": "x y", "c": "one two\nthree", "d": "1 2" }),
        ),
        (
            "a:\n  - x\n  - 2\n  -\n  - - y\n    - z\n  - k: v\n    l: w\n  -   m: 1\nb:\n- p\n- q: r\n\nc: 1",
            json!({ "a": ["x", 2, null, ["y", "z"], { "k": "v", "l": "w" }, { "m": 1 }], "b": ["p", { "q": "r" }], "c": 1 }),
        ),
        (
            "a:\n  b:\n    c: 1\n  d: |\n    text\n    more\n  e:\n    - |-\n      x\n      y\n    - \"q: r\"\n    - 's'\n    - \"k\": v\nf:\n  text on its own\ng:\n  \"quoted\"\nh:\n  - |\n   z",
            json!({ "a": { "b": { "c": 1 }, "d": "text\nmore\n", "e": ["x\ny", "q: r", "s", { "k": "v" }] }, "f": "text on its own", "g": "quoted", "h": ["z\n"] }),
        ),
        (
            "# first\na: 1 # one\n# between\nb: x#y #z\nc: # nothing yet\n  # deeper\n  d: 'q' # r\n  e:\n  # last\nf: \"g\" # h",
            json!({ "a": 1, "b": "x#y", "c": { "d": "q", "e": null }, "f": "g" }),
        ),
        (
            "a: [x, 'y, z', \"q\", 1, true, null, [p q], {k: v, \"l\": 2, 'm':3}]\nb: {}\nc: [ ]\nd: [a, ] # e\nf: {g: [h], }\ni:\n  [j]\nl:\n  - {m: n}\n  - []",
            json!({ "a": ["x", "y, z", "q", 1, true, null, ["p q"], { "k": "v", "l": 2, "m": 3 }], "b": {}, "c": [], "d": ["a"], "f": { "g": ["h"] }, "i": ["j"], "l": [{ "m": "n" }, []] }),
        ),
        (
            "---\n\"a b\": 1\n'c': 2\nd-e f: 3\n12: x\nhttp://x.y: z\nu: http://x.y:80/?a#b\n中文: 键",
            json!({ "a b": 1, "c": 2, "d-e f": 3, "12": "x", "http://x.y": "z", "u": "http://x.y:80/?a#b", "中文": "键" }),
        ),
        ("a: .nan\nb: -.inf", json!({ "a": null, "b": null })),
        ("  a: 1\n  b:\n     c: 2\n  d: x", json!({ "a": 1, "b": { "c": 2 }, "d": "x" })),
    ];
    for (lines, data) in cases {
        let read = lawful(Format::YamlLiteral, &open, &marked(lines));
        if data.is_null() {
            assert!(
                matches!(read.state, DocumentState::Silenced { .. }),
                "{lines}"
            );
            continue;
        }
        assert_eq!(read.state, DocumentState::Complete, "{lines}");
        assert_eq!(read.data, Some(data.clone()), "{lines}");
        // The same with Windows line ends, where those are no part of a text.
        let windows = marked(lines).replace('\n', "\r\n");
        let read = lawful(Format::YamlLiteral, &open, &windows);
        assert_eq!(read.data, Some(data), "{windows:?}");
    }
}

#[test]
fn yaml_marks() {
    let cases = [
        (
            "between its lines, with prose around",
            "Sure:\n<<<BEGIN AGENTLY_YAML>>>\ntitle: T\nbody: |\n  one\n  two\n<<<END AGENTLY_YAML>>>\nbody: no",
            json!({ "title": "T", "body": "one\ntwo\n" }),
        ),
        (
            "in a fence",
            "```yaml\ntitle: T\nbody: |-\n  ```\n  code\n  ```\n```\nbody: no",
            json!({ "title": "T", "body": "```\ncode\n```" }),
        ),
        (
            "lines in a fence",
            "```yml\n<<<BEGIN AGENTLY_YAML>>>\ntitle: T\n<<<END AGENTLY_YAML>>>\n```",
            json!({ "title": "T" }),
        ),
        ("bare", "title: T\nbody: B", json!({ "title": "T", "body": "B" })),
        ("bare, in any fence", "```\ntitle: T\n```", json!({ "title": "T" })),
        (
            "without the last line",
            "<<<BEGIN AGENTLY_YAML>>>\ntitle: T\nbody: |\n  cut",
            json!({ "title": "T", "body": "cut" }),
        ),
    ];
    table(Format::YamlLiteral, &texts(), &cases);
}

#[test]
fn yaml_streams_at_once() {
    let deltas = [
        "<<<BEGIN AGENTLY_YAML>>>\nti",
        "tle: Asy",
        "nc ",
        "First\nbody",
        ": |\n  on",
        "e\n",
        " ",
        " tw",
        "o\n\n",
        "  three",
        "\ntags:\n  - a",
        "b\n  - \"c",
        "\"\nn: 1",
        "2\nmeta: {note: \"x",
        "\"}\n<<<EN",
        "D AGENTLY_YAML>>>",
    ];
    let read = read(Format::YamlLiteral, &mixed(), &deltas);
    assert_eq!(
        read.deltas(),
        [
            (1, "title", "Asy"),
            (2, "title", "nc"),
            (3, "title", " First"),
            (4, "body", "on"),
            (5, "body", "e\n"),
            (7, "body", "tw"),
            (8, "body", "o\n"),
            (9, "body", "\nthree"),
            (10, "body", "\n"),
            (11, "tags[0]", "ab"),
            (12, "tags[1]", "c"),
            (13, "n", "12"),
            (14, "meta.note", "x"),
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
            (3, "title", ObservedBoundary),
            (10, "body", ObservedBoundary),
            (11, "tags[0]", ObservedBoundary),
            (12, "tags[1]", ObservedBoundary),
            (12, "tags", ObservedBoundary),
            (13, "n", ObservedBoundary),
            (14, "meta.note", ObservedBoundary),
            (14, "meta", ObservedBoundary),
        ]
    );
    assert_eq!(read.state, DocumentState::Complete);
}

#[test]
fn yaml_that_is_not_understood_is_a_fault() {
    let open = schema(json!({}));
    for lines in [
        "a: &x 1",
        "a: *x",
        "a: !!str 1",
        "a: !t\n  b: 1",
        "? a\n: b",
        "a:\n\t- b",
        "\ta: 1",
        "a: b: c",
        "a: - b",
        "a: 'x' y",
        "a: \"x\\q\"",
        "a: \"\\ug000\"",
        "a: [b, c",
        "a: [b: c]",
        "a: {b}",
        "a: [b] c",
        "a: {b: 1}}",
        "a: @b",
        "a: `b`",
        "a: %b",
        "- a\n- b",
        "just text",
        "a: 1\n b: 2",
        "a:\n  b: 1\n c: 2",
        "a: |x\n  y",
        "a: |\n    x\n  y",
        "a: 1\nb\nc: 2",
        "a: 1\n- b",
        "a:\n  - b\n  c: d",
        "a: x\n  b: y",
        "'a' b: 1",
    ] {
        let read = lawful(Format::YamlLiteral, &open, &marked(lines));
        assert!(
            matches!(read.state, DocumentState::Silenced { .. }),
            "{lines:?}: {:?} {:?}",
            read.state,
            read.data
        );
    }
}
