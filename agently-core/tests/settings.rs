//! Settings: names, types, merging, variables, and what is printed of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use agently_core::notation::Notation;
use agently_core::settings::{KeyType, Keys, Settings, SettingsErrorKind};
use serde_json::{json, Value};

fn settings() -> Settings {
    let keys = Keys::core()
        .with("Acme.base_url", KeyType::Text)
        .with("Acme.api_key", KeyType::Secret)
        .with("Acme.headers", KeyType::Secrets)
        .with("Acme.options", KeyType::Object);
    Settings::new(keys)
}

fn variables(settings: Settings) -> Settings {
    settings.env_lookup(|name| match name {
        "SHIP_KEY" => Some("sk-beagle\n".to_owned()),
        "RETRIES" => Some("7".to_owned()),
        "STREAM" => Some("false".to_owned()),
        "WORD" => Some("many".to_owned()),
        "NESTED" => Some("${ENV.SHIP_KEY}".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    })
}

#[test]
fn a_fault_names_the_right_name_or_type() {
    let faults = [
        (
            "request.max_retry",
            json!(1),
            "did you mean `request.max_retries`?",
        ),
        ("request.Max_Retries", json!(1), "`request.max_retries`"),
        (
            "request.colour",
            json!(1),
            "there are model, options, stream",
        ),
        ("reqest", json!({}), "did you mean `request`?"),
        ("Acm", json!({}), "did you mean `Acme`?"),
        (
            "timeout_seconds",
            json!(5),
            "did you mean `request.timeout_seconds`?",
        ),
        ("weather", json!(5), "the groups are prompt, request, Acme"),
        ("", json!(5), "the groups are"),
        ("request", json!(5), "must be an object"),
        (
            "request",
            json!({ "max_retrys": 5 }),
            "`request.max_retrys` is not a setting",
        ),
        (
            "request.max_retries",
            json!("3"),
            "a whole number that is not negative, not a text",
        ),
        (
            "request.max_retries",
            json!(-1),
            "a whole number that is not negative",
        ),
        (
            "request.max_retries",
            json!(1.5),
            "a whole number that is not negative",
        ),
        ("request.timeout_seconds", json!(0), "more than 0"),
        (
            "request.timeout_seconds",
            json!(1e300),
            "a number of seconds",
        ),
        ("request.stream", json!("yes"), "`true` or `false`"),
        (
            "request.options",
            json!([1]),
            "must be an object, not a list",
        ),
        (
            "prompt.default_output_format",
            json!("Jsn"),
            "did you mean `json`?",
        ),
        ("prompt.default_output_format", json!("pdf"), "`hybrid`"),
        (
            "Acme.headers",
            json!({ "x-ship": 5 }),
            "`Acme.headers.x-ship` must be a text",
        ),
        (
            "Acme.headers.x-ship",
            json!(5),
            "`Acme.headers.x-ship` must be a text",
        ),
        (
            "Acme.base_url",
            json!("http://${ENV.A-B}/"),
            "write it as ${ENV.NAME}",
        ),
        (
            "Acme.options",
            json!({ "a": ["${ENV."] }),
            "`Acme.options.a` holds a placeholder",
        ),
    ];
    for (path, value, words) in faults {
        let error = settings().with(path, value.clone()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words), "{path} = {value}: {text}");
    }
}

#[test]
fn after_a_fault_nothing_has_changed() {
    let mut settings = settings().with("request.max_retries", 1).unwrap();
    let value = json!({ "max_retries": 2, "stream": 5 });
    let error = settings.set("request", value).unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::Type);
    assert_eq!(error.path(), "request.stream");
    assert_eq!(settings.get::<u32>("request.max_retries").unwrap(), Some(1));
}

#[test]
fn objects_are_merged_and_null_takes_away() {
    let settings = settings()
        .with(
            "Acme.options",
            json!({ "a": 1, "deep": { "b": 2, "c": 3 } }),
        )
        .unwrap()
        .with(
            "Acme",
            json!({ "options": { "deep": { "b": null, "d": 4 } } }),
        )
        .unwrap()
        .with("Acme.options.deep.e", json!([5]))
        .unwrap();
    assert_eq!(
        settings.get::<Value>("Acme.options").unwrap(),
        Some(json!({ "a": 1, "deep": { "c": 3, "d": 4, "e": [5] } }))
    );
    let settings = settings.with("Acme", Value::Null).unwrap();
    assert!(!settings.is_set("Acme"));
    assert_eq!(settings.snapshot(), json!({}));
    // A null that takes nothing away leaves nothing behind.
    let settings = settings.with("Acme.options", json!({ "a": null })).unwrap();
    assert_eq!(settings.snapshot(), json!({ "Acme": { "options": {} } }));
}

#[test]
fn a_copy_does_not_see_later_changes() {
    let mut parent = settings().with("request.max_retries", 1).unwrap();
    let child = parent.clone().with("request.stream", false).unwrap();
    parent.set("request.max_retries", 2).unwrap();
    assert_eq!(child.get::<u32>("request.max_retries").unwrap(), Some(1));
    assert!(!parent.is_set("request.stream"));
}

#[test]
fn variables_are_read_when_the_setting_is_used() {
    let settings = variables(settings())
        .with_value(json!({
            "Acme": {
                "api_key": "${ENV.SHIP_KEY}",
                "base_url": "http://${ENV.WORD}.test/${ENV.WORD}",
                "options": { "deep": ["${ENV.WORD}"], "n": "${ENV.NESTED}" },
            },
            "request": { "max_retries": "${ENV.RETRIES}", "stream": "${ENV.STREAM}" },
        }))
        .unwrap();
    let get = |path: &str| settings.get::<Value>(path).unwrap().unwrap();
    assert_eq!(get("Acme.base_url"), "http://many.test/many");
    assert_eq!(get("request.max_retries"), 7);
    assert_eq!(get("request.stream"), false);
    assert_eq!(get("Acme.options.deep"), json!(["many"]));
    // What a variable says is not looked into.
    assert_eq!(get("Acme.options.n"), "${ENV.SHIP_KEY}");
    let key = settings.secret("Acme.api_key").unwrap().unwrap();
    assert_eq!(key.expose(), "sk-beagle");
}

#[test]
fn a_missing_or_unfit_variable_is_named() {
    let settings = variables(settings())
        .with("Acme.api_key", "Bearer ${ENV.NO_SHIP}")
        .unwrap()
        .with("Acme.base_url", "${ENV.EMPTY}")
        .unwrap()
        .with("request.max_retries", "${ENV.WORD}")
        .unwrap();
    let error = settings.secret("Acme.api_key").unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::MissingVariable);
    let text = error.to_string();
    assert!(
        text.contains("`Acme.api_key`") && text.contains("NO_SHIP"),
        "{text}"
    );
    // An empty variable is none.
    let error = settings.get::<String>("Acme.base_url").unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::MissingVariable);
    let error = settings.get::<u32>("request.max_retries").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`request.max_retries` must be a whole number"),
        "{text}"
    );
    assert!(!text.contains("many"), "{text}");
    // A name that is misspelt is not a setting that is not set.
    let error = settings.get::<u32>("request.max_retrie").unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::UnknownKey);
}

#[test]
fn only_variables_that_are_allowed_are_read() {
    let settings = variables(settings()).allow_env(["SHIP_*", "RETRIES"]);
    assert_eq!(settings.env("SHIP_KEY").as_deref(), Some("sk-beagle\n"));
    assert_eq!(settings.env("WORD"), None);
    let error = settings
        .with("Acme.base_url", "http://${ENV.WORD}/")
        .unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::Placeholder);
    assert!(error.to_string().contains("`allow_env`"), "{error}");
}

#[test]
fn settings_that_are_merged_bring_their_files_and_no_strange_keys() {
    let other = settings()
        .with("Acme.base_url", "http://${ENV.FILE_HOST}/")
        .unwrap()
        .with_dot_env_text("FILE_HOST=a.test\nSHIP_KEY=from-file")
        .unwrap();
    let mut own = variables(settings().with("request.max_retries", 1).unwrap());
    own.merge(&other).unwrap();
    let url = own.get::<String>("Acme.base_url").unwrap();
    assert_eq!(url.as_deref(), Some("http://a.test/"));
    assert_eq!(own.get::<u32>("request.max_retries").unwrap(), Some(1));
    // What the process says goes before the file.
    assert_eq!(own.env("SHIP_KEY").as_deref(), Some("sk-beagle\n"));
    let error = Settings::default().merge(&other).unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::UnknownKey);
}

#[test]
fn nothing_secret_is_printed() {
    let settings = variables(settings())
        .with("Acme.api_key", "sk-written-out")
        .unwrap()
        .with(
            "Acme.headers",
            json!({ "x-a": "tok-1", "x-b": "${ENV.SHIP_KEY}" }),
        )
        .unwrap()
        .with("Acme.base_url", "https://a.test/?token=tok-2")
        .unwrap()
        .with_dot_env_text("FILE_KEY=tok-3")
        .unwrap();
    let text = format!("{settings:?} {settings:#?}");
    assert!(
        text.contains("Acme.api_key") && text.contains("FILE_KEY"),
        "{text}"
    );
    for secret in ["sk-written-out", "tok-1", "tok-2", "tok-3", "sk-beagle"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(
        settings.snapshot()["Acme"]["headers"],
        json!({ "x-a": "…", "x-b": "${ENV.SHIP_KEY}" })
    );
    assert_eq!(settings.snapshot()["Acme"]["api_key"], "…");
}

#[test]
fn setters_and_paths_say_the_same() {
    let typed = Settings::default()
        .max_retries(2)
        .timeout(Duration::from_millis(1500))
        .response_limit(1000)
        .model("m")
        .option("temperature", 0.5)
        .option("seed", 7)
        .stream(false);
    let written = Settings::default()
        .with_value(json!({ "request": {
            "max_retries": 2, "timeout_seconds": 1.5, "response_limit": 1000, "model": "m",
            "options": { "temperature": 0.5, "seed": 7 }, "stream": false,
        }}))
        .unwrap();
    assert_eq!(typed.snapshot(), written.snapshot());
    assert_eq!(
        typed.seconds("request.timeout_seconds").unwrap(),
        Some(Duration::from_millis(1500))
    );
}

#[test]
fn a_text_is_read_in_its_notation() {
    let json = r#"{ "request": { "max_retries": 2 }, "request.stream": false }"#;
    let settings = settings().with_text(Notation::Json, json).unwrap();
    assert_eq!(settings.get::<u32>("request.max_retries").unwrap(), Some(2));
    assert_eq!(settings.get::<bool>("request.stream").unwrap(), Some(false));
    for (text, words) in [
        ("{", "JSON at line 1"),
        ("[]", "an object of groups"),
        (r#"{ "acme": {} }"#, "did you mean `Acme`?"),
    ] {
        let error = settings
            .clone()
            .with_text(Notation::Json, text)
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[cfg(feature = "yaml")]
#[test]
fn yaml_is_read() {
    let text = "# ours\nrequest:\n  max_retries: 2\n  options: {stop: [\"\\n\", no]}\nAcme:\n  api_key: ${ENV.SHIP_KEY}\n";
    let settings = settings().with_text(Notation::Yaml, text).unwrap();
    assert_eq!(settings.get::<u32>("request.max_retries").unwrap(), Some(2));
    let options = settings.get::<Value>("request.options").unwrap();
    assert_eq!(options, Some(json!({ "stop": ["\n", "no"] })));
    // A file with comments only.
    assert!(settings.with_text(Notation::Yaml, "# nothing\n").is_ok());
}

#[cfg(feature = "toml")]
#[test]
fn toml_is_read() {
    let text = "[request]\nmax_retries = 2\n[request.options]\nday = 2026-08-21\n[Acme]\nbase_url = \"http://a\"\n";
    let settings = settings().with_text(Notation::Toml, text).unwrap();
    assert_eq!(settings.get::<u32>("request.max_retries").unwrap(), Some(2));
    let day = settings.get::<String>("request.options.day").unwrap();
    assert_eq!(day.as_deref(), Some("2026-08-21"));
    let error = settings
        .with_text(Notation::Toml, "[a]\nb = \"sk-1\n")
        .unwrap_err();
    assert!(error.to_string().contains("TOML at line 2"), "{error}");
    assert!(!error.to_string().contains("sk-1"), "{error}");
}

#[test]
fn files_that_cannot_be_used_say_which_and_why() {
    let folder = std::env::temp_dir().join(format!("agently-settings-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("folder.json")).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    write("good.json", br#"{ "request": { "max_retries": 4 } }"#);
    write("typo.json", br#"{ "request": { "retries": 4 } }"#);
    write("latin.json", b"{\"a\": \"\xe9\"}");
    write("large.json", &vec![b' '; (1 << 20) + 1]);
    write("settings.ini", b"");
    write(".env", b"A_KEY=1\noops\n");
    let good = settings().with_file(folder.join("good.json")).unwrap();
    assert_eq!(good.get::<u32>("request.max_retries").unwrap(), Some(4));
    for (name, words) in [
        ("none.json", "cannot be read"),
        ("folder.json", "not a regular file"),
        ("latin.json", "not UTF-8"),
        ("large.json", "larger than 1048576 bytes"),
        ("settings.ini", "name it `.json`"),
        ("typo.json", "`request.retries` is not a setting"),
    ] {
        let error = settings().with_file(folder.join(name)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(name), "{text}");
    }
    let error = settings().with_dot_env(folder.join(".env")).unwrap_err();
    assert!(
        error.to_string().contains("line 2 of the `.env` file"),
        "{error}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn dot_env_lines_are_variables() {
    let text = "\u{feff}# ours\r\nPLAIN=a b # comment\nexport EXPORTED=x\n  SPACED =  y  \nHASH=a#b\n\
                SINGLE='a # \\n b' # comment\nDOUBLE=\"a\\n\\\"b\\\" \\$HOME\"\nLINES=\"one\ntwo\"\n\
                EMPTY=\nSAME=first\nSAME=second\nREF=${ENV.PLAIN}\r\nLAST=end";
    let settings = settings()
        .env_lookup(|name| (name == "EXPORTED").then(|| "from the process".to_owned()))
        .with_dot_env_text(text)
        .unwrap();
    for (name, value) in [
        ("PLAIN", "a b"),
        ("EXPORTED", "from the process"),
        ("SPACED", "y"),
        ("HASH", "a#b"),
        ("SINGLE", "a # \\n b"),
        ("DOUBLE", "a\n\"b\" $HOME"),
        ("LINES", "one\ntwo"),
        ("SAME", "first"),
        ("REF", "${ENV.PLAIN}"),
        ("LAST", "end"),
    ] {
        assert_eq!(settings.env(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(settings.env("EMPTY"), None);
}

#[test]
fn a_dot_env_line_that_is_none_is_named_and_not_repeated() {
    for (text, line, words) in [
        ("A=1\nsk-secret", 2, "no `=`"),
        ("A B=sk-secret", 1, "a name that is none"),
        ("A=\"x\ny\"\nB=\"sk-secret", 3, "not closed"),
        ("A=\"sk-secret\\q\"", 1, "escape"),
        ("A='x' sk-secret", 1, "after the closing quote"),
    ] {
        let error = settings().with_dot_env_text(text).unwrap_err();
        assert_eq!(error.kind(), SettingsErrorKind::Syntax);
        let text = error.to_string();
        assert!(text.contains(&format!("line {line} ")), "{text}");
        assert!(
            text.contains(words) && !text.contains("sk-secret"),
            "{text}"
        );
    }
}
