//! The rows of the format contract for `yaml_literal`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod format_support;

use agently_api::data::CompletionSource::ObservedBoundary;
use agently_core::format::Format;
use agently_core::instant::DocumentState;
use format_support::{lawful, mixed, read, schema, table, texts};
use serde_json::{json, Value};

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
