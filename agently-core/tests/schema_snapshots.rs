//! The words of a schema as a model reads them, one file each in `snapshots/`.

use agently_core::output;
use agently_core::schema::Schema;

#[track_caller]
fn check(name: &str, schema: &Schema) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("schema_{name}"), schema.to_prompt_text());
    });
}

#[test]
fn quickstart() {
    check(
        "quickstart",
        &output!({ "title": (str, "Title", true), "items": [(str, "Bullet point", true)] }),
    );
}

#[test]
fn design_example() {
    check(
        "design_example",
        &output!({ "title": (str, "Title", true), "items": [(str, "Bullet point", true)], "meta": { "score": float, "note": "description only" }, "open": {} }),
    );
}

#[test]
fn one_field() {
    check("one_field", &output!({ "answer": (str, "The answer") }));
}

#[test]
fn bare_types() {
    check(
        "bare_types",
        &output!({ s: str, i: int, f: float, n: number, b: bool, a: any, z: null }),
    );
}

#[test]
fn description_only() {
    check(
        "description_only",
        &output!({ "note": "What else is worth saying" }),
    );
}

#[test]
fn hint() {
    check(
        "hint",
        &output!({ "due": ("date (YYYY-MM-DD)", "When it is due", true), "tag": ("a | b", "Which") }),
    );
}

#[test]
fn not_null() {
    check(
        "not_null",
        &output!({ "title": (str, "Title", "not_null"), "tags": ([(str, "One word", true)], "At least one", "not_null") }),
    );
}

#[test]
fn ensure_without_description() {
    check(
        "ensure_without_description",
        &output!({ "a": (str, "", true), "b": (str, "", "not_null") }),
    );
}

#[test]
fn nested_objects() {
    check(
        "nested_objects",
        &output!({ "a": { "b": { "c": (int, "Depth three", true) } }, "d": bool }),
    );
}

#[test]
fn list_of_objects() {
    check(
        "list_of_objects",
        &output!({ "people": [{ "name": (str, "Full name", true), "age": int }] }),
    );
}

#[test]
fn list_of_lists() {
    check("list_of_lists", &output!({ "grid": [[(int, "Cell")]] }));
}

#[test]
fn described_containers() {
    check(
        "described_containers",
        &output!({ "meta": ({ "n": int }, "About the text", true), "rows": ([{ "n": int }], "The rows") }),
    );
}

#[test]
fn open_containers() {
    check(
        "open_containers",
        &output!({ "any_object": {}, "any_list": [], "described": (object, "Whatever you find"), "words": (list, "Words", true) }),
    );
}

#[test]
fn multi_line_description() {
    check(
        "multi_line_description",
        &output!({ "body": (str, "The body, in Markdown.\n- at most 300 words\n\n- no headings", true), "list": ([(str, "a\nb")], "c\nd", "not_null") }),
    );
}

#[test]
fn odd_keys() {
    check(
        "odd_keys",
        &output!({ "中文键": (str, "标题", true), "a.b": int, "with \"quotes\"": int, "tab\t": int }),
    );
}

#[test]
fn root_list() {
    check("root_list", &output!([(str, "One line", true)]));
}

#[test]
fn root_list_of_objects() {
    check(
        "root_list_of_objects",
        &output!([{ "name": (str, "Name", true), "score": float }]),
    );
}

#[test]
fn root_described() {
    check(
        "root_described",
        &output!(({ "a": str }, "All about a", true)),
    );
}

#[test]
fn root_leaf() {
    check("root_leaf", &output!((int, "How many", true)));
}

#[test]
fn root_text() {
    check("root_text", &output!(str));
}

#[test]
fn root_open_object() {
    check("root_open_object", &output!({}));
}

#[test]
fn root_open_list() {
    check("root_open_list", &output!([]));
}
