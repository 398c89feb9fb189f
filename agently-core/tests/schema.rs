//! Schemas from all three sources, their faults, and what is derived from them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_core::output;
use agently_core::schema::{Ensure, EnsureStep, Schema, SchemaErrorKind, Shape, ValueType};
use serde_json::{json, Value};

fn read(value: &Value) -> Schema {
    Schema::from_value(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

#[track_caller]
fn fault(value: &Value, kind: SchemaErrorKind, path: &str, message: &str) {
    let error = Schema::from_value(value).expect_err("a fault");
    assert_eq!((error.kind(), error.path()), (kind, path), "{error}");
    assert_eq!(error.message(), message);
}

fn paths(schema: &Schema) -> Vec<(String, Ensure)> {
    let rules = schema.ensure_paths();
    rules
        .iter()
        .map(|rule| (rule.to_string(), rule.ensure))
        .collect()
}

#[test]
fn the_macro_says_what_the_value_says() {
    let value = json!({
        "title": ["str", "Title", true],
        "items": [["str", "Bullet point", true]],
        "meta": { "score": "float", "note": "description only" },
        "open": {},
        "any_list": [],
        "n": ["int"],
        "off": ["bool", "Switched off", false],
        "soon": ["any", "", "not_null"],
        "none": "null",
        "number": "number",
        "nested": [[["int", "Cell"]]],
        "type": "str",
        "due": ["date", "When it is due"],
        "box": { "$type": { "w": "int" }, "$desc": "The box", "$ensure": true },
        "list": { "$type": [["str"]], "$ensure": "not_null" },
    });
    let schema = output!({
        "title": (str, "Title", true),
        "items": [(str, "Bullet point", true),],
        "meta": { "score": float, "note": "description only" },
        "open": {},
        any_list: [],
        n: (int),
        "off": (bool, "Switched off", false),
        "soon": (any, "", "not_null"),
        none: null,
        number: (number,),
        "nested": [[(int, "Cell",)]],
        type: String,
        r#due: ("date", "When it is due"),
        r#box: ({ w: i64 }, "The box", true),
        list: ([("str")], "", "not_null"),
    });
    assert_eq!(schema, read(&value));
}

#[test]
fn roots_other_than_objects() {
    assert_eq!(
        output!([(str, "One line")]),
        read(&json!([["str", "One line"]]))
    );
    assert_eq!(output!([{ "n": int }],), read(&json!([{ "n": "int" }])));
    assert_eq!(output!(str), read(&json!("str")));
    assert_eq!(
        output!((str, "A word", true)),
        read(&json!(["str", "A word", true]))
    );
    assert_eq!(output!("What it means"), read(&json!("What it means")));
    assert_eq!(output!({}), read(&json!({})));
    assert_eq!(output!([]), read(&json!([])));
    assert_eq!(output!({}).describe_root(), "a JSON object");
    assert_eq!(output!([]).describe_root(), "a JSON list");
    assert_eq!(output!(int).describe_root(), "a JSON value");
}

#[test]
fn fields_keep_their_order() {
    let names = |schema: &Schema| -> Vec<String> {
        schema
            .fields()
            .iter()
            .map(|field| field.name().to_owned())
            .collect()
    };
    let text = r#"{"zeta": "str", "alpha": "int", "mid": {"b": "str", "a": "str"}}"#;
    let schema: Schema = serde_json::from_str(text).unwrap();
    assert_eq!(names(&schema), ["zeta", "alpha", "mid"]);
    assert_eq!(names(schema.field("mid").unwrap()), ["b", "a"]);
    assert_eq!(
        serde_json::to_string(&schema).unwrap(),
        r#"{"zeta":["str"],"alpha":["int"],"mid":{"b":["str"],"a":["str"]}}"#
    );
}

#[test]
fn every_type_name_is_known_in_any_case() {
    let types = [
        (ValueType::Str, &["str", "string", "String", "TEXT"][..]),
        (ValueType::Int, &["int", "integer", "i64", "u8", "usize"]),
        (ValueType::Float, &["float", "double", "f64"]),
        (ValueType::Number, &["number"]),
        (ValueType::Bool, &["bool", "boolean"]),
        (ValueType::Any, &["any"]),
        (ValueType::Null, &["null", "None"]),
    ];
    for (expected, names) in types {
        for name in names {
            for value in [json!(name), json!([name]), json!({ "$type": name })] {
                assert_eq!(
                    read(&value).shape(),
                    &Shape::Leaf(expected.clone()),
                    "{value}"
                );
            }
        }
    }
    for name in ["object", "dict"] {
        assert_eq!(read(&json!(name)), read(&json!({})));
    }
    for name in ["list", "array"] {
        assert_eq!(read(&json!([name, "Words"])).shape(), &Shape::List(None));
    }
}

#[test]
fn shorthands() {
    let described = read(&json!("What it is about"));
    assert_eq!(described.shape(), &Shape::Leaf(ValueType::Str));
    assert_eq!(described.description(), Some("What it is about"));
    assert_eq!(read(&json!({ "$desc": "What it is about" })), described);
    assert_eq!(read(&Value::Null), read(&json!("any")));
    assert_eq!(
        read(&json!(["str", null, true])),
        read(&json!(["str", "", true]))
    );
    assert_eq!(read(&json!(["str", "A", null])), read(&json!(["str", "A"])));
}

#[test]
fn other_type_names_are_hints() {
    for hint in [
        "date",
        "str | null",
        "set",
        "uint",
        "note",
        "YYYY-MM-DD",
        "日期",
    ] {
        let schema = read(&json!({ "x": [hint, "A value"] }));
        let leaf = schema.field("x").unwrap();
        assert_eq!(leaf.shape(), &Shape::Leaf(ValueType::Custom(hint.into())));
        assert_eq!(
            schema.to_json_schema()["properties"]["x"],
            json!({
                "description": format!("A value ({hint})"),
            })
        );
    }
}

#[test]
fn ensure_paths_are_in_schema_order_with_exact_steps() {
    let schema = output!({
        "title": (str, "Title", true),
        "skip": str,
        "sections": ([{ "a.b": (str, "", "not_null"), "tags": [(str, "", true)] }], "", true),
    });
    assert_eq!(
        paths(&schema),
        [
            ("title".to_owned(), Ensure::Present),
            ("sections".to_owned(), Ensure::Present),
            ("sections[*].a.b".to_owned(), Ensure::NotNull),
            ("sections[*].tags[*]".to_owned(), Ensure::Present),
        ]
    );
    assert_eq!(
        schema.ensure_paths()[2].steps,
        [
            EnsureStep::Key("sections".into()),
            EnsureStep::Each,
            EnsureStep::Key("a.b".into()),
        ]
    );
    assert_eq!(
        paths(&output!([(str, "", true)])),
        [("[*]".to_owned(), Ensure::Present)]
    );
    assert_eq!(
        paths(&output!((str, "", true))),
        [(String::new(), Ensure::Present)]
    );
    assert!(paths(&output!({ "a": [{ "b": int }] })).is_empty());
}

#[test]
fn to_value_and_back_is_the_same_schema() {
    let values = [
        json!({}),
        json!([]),
        json!(["str"]),
        json!(["str", "Title", true]),
        json!(["str", "", "not_null"]),
        json!(["date", "When"]),
        json!([[["int"]]]),
        json!({ "a": { "$type": [{ "b": ["str"] }], "$desc": "Rows", "$ensure": true } }),
        json!({ "a": { "$type": {}, "$ensure": "not_null" } }),
        json!({ "中文键": ["float", "比例"], "a b": [["bool", "flag", true]] }),
    ];
    for value in values {
        let schema = read(&value);
        assert_eq!(schema.to_value(), value);
        assert_eq!(read(&schema.to_value()), schema);
    }
}

#[test]
fn a_fault_names_its_path() {
    use SchemaErrorKind as Kind;
    fault(
        &json!({ "sections": [{ "body": ["sting", "Body"] }] }),
        Kind::Type,
        "sections[*].body",
        r#"there is no type "sting"; did you mean "string"?"#,
    );
    fault(
        &json!({ "a": ["str", "A", "notnull"] }),
        Kind::Ensure,
        "a",
        r#""notnull" does not say whether the field must be there; did you mean "not_null"?"#,
    );
    fault(
        &json!({ "a": ["str", "A", "True"] }),
        Kind::Ensure,
        "a",
        r#""True" does not say whether the field must be there; write true without quotes"#,
    );
    fault(
        &json!([["str", "A", 1]]),
        Kind::Ensure,
        "[*]",
        r#"1 does not say whether the field must be there; write true, false or "not_null""#,
    );
    fault(
        &json!({ "a": ["str", true] }),
        Kind::Description,
        "a",
        r#"the description is missing before the third part; write [type, "", true] to do without one"#,
    );
    fault(
        &json!({ "a": ["str", { "b": 1 }] }),
        Kind::Description,
        "a",
        "the description, second in a leaf, must be a text",
    );
    fault(
        &json!({ "a": ["str", "b", true, "c"] }),
        Kind::Form,
        "a",
        "a leaf has at most three parts, [type, description, ensure], and this one has 4; a list \
         of several shapes cannot be said, use \"any\"",
    );
    fault(
        &json!({ "a": [["str"], ["int"]] }),
        Kind::Form,
        "a",
        "a list holds one element, the shape of every item, and this one holds 2; a leaf starts \
         with the name of its type",
    );
    fault(
        &json!({ "a": { "b": 3 } }),
        Kind::Form,
        "a.b",
        r#"a number is no schema; for a field of that type write "int""#,
    );
    fault(
        &json!({ "a": [0.5] }),
        Kind::Form,
        "a[*]",
        r#"a number is no schema; for a field of that type write "float""#,
    );
    fault(
        &json!(false),
        Kind::Form,
        "",
        r#"a boolean is no schema; for a field of that type write "bool""#,
    );
    fault(
        &json!({ "a": " " }),
        Kind::Form,
        "a",
        r#"an empty text says nothing; write a type, as "str", or a description"#,
    );
    fault(
        &json!({ "a": [""] }),
        Kind::Type,
        "a",
        r#"the type is empty; write one, as "str""#,
    );
    fault(
        &json!({ "a": ["a\nb"] }),
        Kind::Type,
        "a",
        "a type is one line; put the explanation into the description",
    );
    fault(
        &json!({ "a": { "": "str" } }),
        Kind::Name,
        "a",
        "a field here has an empty name; give it one",
    );
}

#[test]
fn faults_of_the_long_form() {
    use SchemaErrorKind as Kind;
    fault(
        &json!({ "a": { "$typ": "str" } }),
        Kind::Name,
        "a",
        r#"there is no "$typ"; did you mean "$type"?"#,
    );
    fault(
        &json!({ "$schema": "x" }),
        Kind::Name,
        "",
        "there is no \"$schema\"; names that start with `$` are reserved, and only \"$type\", \
         \"$desc\", \"$ensure\" and those of limits are known",
    );
    fault(
        &json!({ "a": { "$desc": "A", "b": "str" } }),
        Kind::Name,
        "a",
        "the field \"b\" stands beside names with `$`; put the fields into \"$type\": {…}",
    );
    fault(
        &json!({ "a": { "$type": 3 } }),
        Kind::Type,
        "a",
        "\"$type\" must be the name of a type, an object or a list",
    );
    fault(
        &json!({ "a": { "$type": { "b": ["srt"] } } }),
        Kind::Type,
        "a.b",
        r#"there is no type "srt"; did you mean "str"?"#,
    );
}

#[test]
fn the_error_prints_place_fault_and_advice() {
    let error = Schema::from_value(&json!({ "list": [["bolean"]] })).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the output schema is wrong at `list[*]`: there is no type \"bolean\"; did you mean \
         \"boolean\"?"
    );
    let error = Schema::from_value(&json!(1)).unwrap_err();
    assert!(error
        .to_string()
        .starts_with("the output schema is wrong at its root: a number"));
}

#[test]
fn slips_of_the_pen_are_found_and_real_words_are_not() {
    for (written, meant) in [
        ("strng", "string"),
        ("itn", "int"),
        ("bol", "bool"),
        ("flaot", "float"),
        ("Interger", "integer"),
        ("lsit", "list"),
        ("nubmer", "number"),
    ] {
        let error = Schema::from_value(&json!([written, "A"])).unwrap_err();
        assert!(
            error
                .message()
                .ends_with(&format!("did you mean \"{meant}\"?")),
            "{error}"
        );
    }
    // A plain text is a description, whatever it looks like.
    for word in ["Flat", "Note", "strng"] {
        assert_eq!(read(&json!(word)).description(), Some(word));
    }
}

#[test]
fn a_schema_can_be_as_deep_as_an_answer_and_no_deeper() {
    let nested = |depth: usize| (0..depth).fold(json!("str"), |inner, _| Value::Array(vec![inner]));
    // `["str"]` is a leaf, not a list of one.
    assert!(Schema::from_value(&nested(129)).is_ok());
    let error = Schema::from_value(&nested(4000)).unwrap_err();
    assert_eq!(error.kind(), SchemaErrorKind::Depth);
    assert_eq!(error.path(), "[*][*][*]");

    let built = (0..4000).fold(Schema::str("Deep"), |inner, _| Schema::list(inner));
    assert_eq!(built.build().unwrap_err().kind(), SchemaErrorKind::Depth);
}

#[test]
fn the_builder_reports_its_faults_with_their_path() {
    let twice = Schema::object()
        .field(
            "rows",
            Schema::list(
                Schema::object()
                    .field("a", ValueType::Str)
                    .field("a", ValueType::Int),
            ),
        )
        .build()
        .unwrap_err();
    assert_eq!(
        (twice.kind(), twice.path()),
        (SchemaErrorKind::Name, "rows[*].a")
    );

    let lost = Schema::object()
        .field("title", Schema::str("Title").field("x", Schema::int("X")))
        .build()
        .unwrap_err();
    assert_eq!((lost.kind(), lost.path()), (SchemaErrorKind::Form, "title"));

    for name in ["", "$x"] {
        let error = Schema::object()
            .field(name, ValueType::Any)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), SchemaErrorKind::Name);
    }
    let hint = Schema::leaf(ValueType::Custom("\n".into()))
        .build()
        .unwrap_err();
    assert_eq!(hint.kind(), SchemaErrorKind::Type);
}

#[test]
fn the_builder_reuses_schemas() {
    let point = output!({ "x": (float, "X", true), "y": (float, "Y", true) });
    let schema = Schema::object()
        .field("from", &point)
        .field("to", Schema::list(point).describe("Where to").not_null())
        .build()
        .unwrap();
    let expected = output!({
        from: { "x": (float, "X", true), "y": (float, "Y", true) },
        to: ([{ "x": (float, "X", true), "y": (float, "Y", true) }], "Where to", "not_null"),
    });
    assert_eq!(schema, expected);
}

#[test]
fn json_schema_of_what_is_accepted() {
    let schema = output!({
        "title": (str, "Title", "not_null"),
        "items": ([(str, "Point", true)], "Points", true),
        "meta": { "score": float, "n": int, "ok": (bool, "Fine", true) },
        "open": {},
        "rest": (any, "Anything", "not_null"),
        "nothing": null,
        "due": ("date", "When"),
    });
    assert_eq!(
        schema.to_json_schema(),
        json!({
            "type": "object",
            "properties": {
                "title": { "type": "string", "minLength": 1, "description": "Title" },
                "items": {
                    "type": "array",
                    "items": { "type": "string", "description": "Point" },
                    "description": "Points",
                },
                "meta": {
                    "type": "object",
                    "properties": {
                        "score": { "type": "number" },
                        "n": { "type": "integer" },
                        "ok": { "type": "boolean", "description": "Fine" },
                    },
                    "required": ["ok"],
                },
                "open": { "type": "object" },
                "rest": { "not": { "type": "null" }, "description": "Anything" },
                "nothing": { "type": "null" },
                "due": { "description": "When (date)" },
            },
            "required": ["title", "items", "rest"],
        })
    );
    let written = schema.to_json_schema().to_string();
    assert!(
        written.find("\"title\"") < written.find("\"meta\""),
        "{written}"
    );
}

#[test]
fn strict_json_schema_requires_everything_and_allows_nothing_else() {
    let schema = output!({ "title": (str, "Title", true), "rows": [{ "n": int }] });
    assert_eq!(
        schema.to_strict_json_schema(),
        Some(json!({
            "type": "object",
            "properties": {
                "title": { "type": "string", "description": "Title" },
                "rows": {
                    "type": ["array", "null"],
                    "items": {
                        "type": "object",
                        "properties": { "n": { "type": ["integer", "null"] } },
                        "required": ["n"],
                        "additionalProperties": false,
                    },
                },
            },
            "required": ["title", "rows"],
            "additionalProperties": false,
        }))
    );
    for unsaid in [
        output!({}),
        output!([str]),
        output!(str),
        output!({ "a": {} }),
        output!({ "a": [] }),
        output!({ "a": [{ "b": any }] }),
        output!({ "a": ("date", "When") }),
    ] {
        assert_eq!(unsaid.to_strict_json_schema(), None, "{unsaid:?}");
    }
}

#[test]
fn a_schema_is_a_cheap_clone_that_crosses_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Schema>();
    shared::<agently_core::schema::SchemaError>();
}
