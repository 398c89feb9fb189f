//! Reading and writing YAML: what it means, its limits, and that both agree.
#![cfg(feature = "yaml")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_core::notation::Notation;
use proptest::prelude::*;
use serde_json::{json, Map, Value};

fn read(text: &str) -> Value {
    Notation::Yaml
        .read(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fault(text: &str) -> String {
    Notation::Yaml.read(text).unwrap_err().to_string()
}

#[test]
fn scalars_mean_what_the_core_schema_says() {
    for (text, value) in [
        ("null", json!(null)),
        ("~", json!(null)),
        ("", json!(null)),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("yes", json!("yes")),
        ("no", json!("no")),
        ("12", json!(12)),
        ("-12", json!(-12)),
        ("+12", json!(12)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("1.5e3", json!(1500.0)),
        (".5", json!(0.5)),
        ("12:30", json!("12:30")),
        ("1.2.3", json!("1.2.3")),
        ("2026-08-21", json!("2026-08-21")),
        ("'12'", json!("12")),
        ("\"true\"", json!("true")),
        ("${ENV.KEY}", json!("${ENV.KEY}")),
        ("-", json!([null])),
        ("18446744073709551615", json!(u64::MAX)),
        ("|\n  a\n   b\n", json!("a\n b\n")),
        (">\n  a\n  b\n", json!("a b\n")),
    ] {
        assert_eq!(read(text), value, "{text}");
    }
}

#[test]
fn keys_keep_their_order_and_aliases_stand_for_values() {
    let value = read("z: &list [1, {a: b}]\na: *list\n5: five\n");
    assert_eq!(
        value.to_string(),
        r#"{"z":[1,{"a":"b"}],"a":[1,{"a":"b"}],"5":"five"}"#
    );
}

#[test]
fn what_is_not_read_is_said_with_its_place() {
    for (text, words) in [
        ("a: 1\na: 2", "line 2, column 1: this key was given before"),
        ("a: !!str 5", "tags"),
        ("a: !ruby/object {}", "tags"),
        ("a: 1\n---\nb: 2", "second document"),
        ("? [a, b]\n: c", "a key must be a text"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "merge keys"),
        ("a: &x [*x]", "inside the value"),
        ("a: *nobody", "line 1"),
        ("a: .inf", "infinity"),
        ("a: [1, 2", "YAML at line"),
        ("a: b: c", "YAML at line 1"),
    ] {
        let said = fault(text);
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn limits_hold() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Notation::Yaml.read(&deep(64)).is_ok());
    assert!(fault(&deep(65)).contains("64 levels"));
    // Far deeper, the parser itself gives up first.
    assert!(fault(&deep(500_000)).contains("YAML at line 1"));
    assert!(fault(&" ".repeat((1 << 20) + 1)).contains("too large"));
    // Every line says the one before ten times.
    let mut laughs = "a0: &a0 [lol, lol]\n".to_owned();
    for level in 1..10 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert!(fault(&laughs).contains("aliases"));
    let many = format!("a: &a x\nb: [{}]", vec!["*a"; 1001].join(", "));
    assert!(fault(&many).contains("aliases"));
    let long = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(1 << 19),
        vec!["*a"; 20].join(", ")
    );
    assert!(fault(&long).contains("aliases"));
    // Aliases cannot dig deeper than brackets.
    let mut nested = format!("a0: &a0 {}\n", deep(40));
    nested.push_str(&format!("b: {}*a0{}", "[".repeat(30), "]".repeat(30)));
    assert!(fault(&nested).contains("64 levels"));
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,12}",
        "[ a-z0-9:#|>'\"\n\t,~!&*%@`{}\\[\\]?-]{0,16}",
        any::<String>(),
        Just("null".to_owned()),
        Just("0x1".to_owned()),
        Just("1e3".to_owned()),
        Just("a\nb".to_owned()),
        Just("---\nb".to_owned()),
        Just("...".to_owned()),
        Just("a\r\nb".to_owned()),
        Just("a\u{85}b\u{2028}".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(value in value()) {
        let text = Notation::Yaml.write(&value).unwrap();
        let back = Notation::Yaml.read(&text);
        prop_assert_eq!(back.as_ref().map_err(ToString::to_string), Ok(&value), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z0-9 \n\t:#|>'\"\\-,~!&*%@{}\\[\\]?]{0,60}") {
        let _ = Notation::Yaml.read(&text);
    }
}

#[test]
fn it_is_written_for_people() {
    let value = json!({
        "name": "Ada Lovelace",
        "version": "1.0",
        "note": "one\ntwo",
        "empty": [[], {}, null, ""],
        "turns": [{ "role": "user", "parts": ["Hello: you"] }],
    });
    assert_eq!(
        Notation::Yaml.write(&value).unwrap(),
        "name: Ada Lovelace\nversion: \"1.0\"\nnote: |-\n  one\n  two\nempty:\n  - []\n  - {}\n  - null\n  - \"\"\n\
         turns:\n  -\n    role: user\n    parts:\n      - \"Hello: you\"\n"
    );
}
