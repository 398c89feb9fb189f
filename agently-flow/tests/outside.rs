//! FLOW.md, "Seen from outside": pictures.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::error::Error as _;

use agently_flow::{condition, Chunk, Contract, ErrorKind, ExecutionOptions, FlowData, Pause};
use serde_json::{json, Value};
use support::{flow, pass, run};

fn pictured(runtime: &agently_api::rt::Runtime) -> agently_flow::TriggerFlow {
    let flow = flow(runtime);
    flow.to(Chunk::new(pass).named("read"))
        .if_condition(condition("urgent", |data: FlowData| async move {
            Ok(data.input::<bool>()?)
        }))
        .to(Chunk::new(|_: FlowData| async {
            Err::<Value, _>(Pause::new("approval").id("i1").into())
        })
        .named("ask \"twice\""))
        .end_condition()
        .for_each(2)
        .to(Chunk::new(pass).named("work"))
        .end_for_each()
        .side_branch(Chunk::new(pass).named("note"));
    flow.when_all(["A", "B"]).to(Chunk::new(pass).named("join"));
    flow
}

#[test]
fn mermaid_of_a_definition() {
    run(|runtime| async move {
        let picture = pictured(&runtime).to_mermaid().unwrap();
        let wanted = "flowchart TD
    n0([\"start\"])
    n1[\"read\"]
    n2{\"if\"}
    n3[\"ask #quot;twice#quot;\"]
    n4((\"end\"))
    n5[/\"for each\"/]
    n6[\"work\"]
    n7((\"end\"))
    n8[\"note\"]
    n9([\"when A and B\"])
    n10[\"join\"]
    n0 --> n1
    n1 --> n2
    n2 -->|urgent| n3
    n2 -->|else| n4
    n3 --> n4
    n4 --> n5
    n5 -->|each item| n6
    n6 --> n7
    n7 -.-> n8
    n9 --> n10
";
        assert_eq!(picture, wanted);
    });
}

#[test]
fn mermaid_of_a_running_execution_shows_what_ran_and_what_waits() {
    run(|runtime| async move {
        let flow = pictured(&runtime);
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(true).await.unwrap();
        let picture = execution.to_mermaid();
        assert!(picture.contains("    class n1 ran\n"), "{picture}");
        assert!(picture.contains("    class n3 waiting\n"), "{picture}");
        assert!(!picture.contains("class n6"), "{picture}");
        execution.continue_with("i1", [1, 2, 3], None).unwrap();
        execution.async_close().await.unwrap();
        let picture = execution.to_mermaid();
        assert!(picture.contains("    n6[\"work (3×)\"]\n"), "{picture}");
        assert!(picture.contains("    class n3 ran\n"), "{picture}");
    });
}

#[test]
fn a_contract_in_json_schema_names_the_place_that_does_not_fit() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let schema = json!({
            "type": "object",
            "required": ["tasks"],
            "additionalProperties": false,
            "properties": {
                "tasks": {
                    "type": "array",
                    "minItems": 1,
                    "items": { "type": ["string", "null"], "maxLength": 5 }
                },
                "level": { "type": "integer", "minimum": 1, "maximum": 3 },
                "mode": { "enum": ["fast", "slow"] }
            }
        });
        flow.set_contract(Contract::new().input_schema(schema).unwrap());
        flow.to(Chunk::new(pass));
        let good = json!({ "tasks": ["a", null], "level": 2, "mode": "slow" });
        flow.async_start(good).await.unwrap();
        for (input, message) in [
            (json!([]), "the value is a list, not of type \"object\""),
            (json!({}), "the value has no `tasks`"),
            (json!({ "tasks": [] }), "tasks has 0 items"),
            (
                json!({ "tasks": ["a", 1] }),
                "tasks[1] is a number, not of type [\"string\",\"null\"]",
            ),
            (
                json!({ "tasks": ["too long"] }),
                "tasks[0] has 8 characters",
            ),
            (
                json!({ "tasks": ["a"], "level": 4 }),
                "level is out of range",
            ),
            (
                json!({ "tasks": ["a"], "mode": "odd" }),
                "mode is none of the values allowed",
            ),
            (json!({ "tasks": ["a"], "more": 1 }), "more is not allowed"),
        ] {
            let error = flow.async_start(input).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Contract);
            assert_eq!(error.source().unwrap().to_string(), message);
        }
    });
}

#[test]
fn a_contract_refuses_schema_keywords_that_it_would_not_check() {
    let schema = json!({ "properties": { "x": { "pattern": "^a" } } });
    let error = Contract::new().result_schema(schema).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert!(
        error
            .to_string()
            .contains("at `/properties/x/` has the keyword `pattern`"),
        "{error}"
    );
}
