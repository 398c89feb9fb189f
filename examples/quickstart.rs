//! The seed program: a title and two points, every field printed while the model still writes.
//!
//! `cargo run --example quickstart [-- --sync] [--plain] [--runtime tokio|smol]`
//!
//! With nothing configured it talks to an embedded server on loopback; with `OPENAI_BASE_URL`,
//! `OPENAI_API_KEY` and `OPENAI_MODEL` set, to that one.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a terminal"
)]

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use agently::mock::{MockServer, Reply};
use agently::openai::OpenAi;
use agently::prelude::*;
use agently::types::rt::Runtime;

const HELP: &str = "\
Asks for a title and two points, and prints every field as it grows.

  --plain           one line for each step, as on a pipe
  --sync            with the blocking calls
  --runtime NAME    on tokio or on smol

With OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL set it asks that server, else one of its own.";

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--help" || word == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let result = Options::parse().and_then(|options| run(&options));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&*error);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let server; // Lives as long as the request.
    let provider = if std::env::var_os("OPENAI_BASE_URL").is_some()
        || std::env::var_os("OPENAI_API_KEY").is_some()
    {
        OpenAi::from_env()?
    } else {
        server = MockServer::builder().reply(Reply::demo()).start()?;
        OpenAi::builder()
            .base_url(server.base_url())
            .model("mock")
            .build()?
    };
    let runtime = options.runtime()?;
    let agent = Agently::builder()
        .provider(provider)
        .runtime(runtime.clone())
        .build()?
        .agent();

    let result = agent
        .input("Give me a title and two bullets about async-first model applications.")
        .output(output!({
            "title": (str, "Title", true),
            "items": [(str, "Bullet point", true)],
        }))
        .get_result();

    let mut screen = Screen::new(options.plain);
    if options.sync {
        for item in result.get_generator(Instant) {
            screen.show(&item?)?;
        }
        print_end(&result.get_data()?, &result.get_meta()?)
    } else {
        runtime.block_on(async {
            let mut events = result.get_async_generator(Instant);
            while let Some(item) = events.next().await {
                screen.show(&item?)?;
            }
            print_end(
                &result.async_get_data().await?,
                &result.async_get_meta().await?,
            )
        })?
    }
}

/// Shows fields as they grow.
struct Screen {
    plain: bool,
}

impl Screen {
    fn new(plain: bool) -> Self {
        Self {
            plain: plain || !std::io::stdout().is_terminal(),
        }
    }

    fn show(&mut self, item: &StreamingData) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if let Some(status) = item.status() {
            if status.retry {
                let reason = status.reason.as_deref().unwrap_or_default();
                writeln!(out, "\n-- starting again: {reason}")?;
            }
            return Ok(());
        }
        match (&item.delta, self.plain) {
            (Some(delta), true) => writeln!(out, "{} + {delta}", item.path)?,
            (None, true) => writeln!(out, "{} done", item.path)?,
            (Some(delta), false) => {
                // The first delta of a field is all of it so far.
                if item.value().with_str(str::len) == Some(delta.len()) {
                    write!(out, "\x1b[1m{:>10}\x1b[0m  ", item.path)?;
                }
                write!(out, "{delta}")?;
            }
            (None, false) if item.value().with_str(|_| ()).is_some() => {
                writeln!(out, "  \x1b[32m✓\x1b[0m")?;
            }
            (None, false) => writeln!(out, "\x1b[1m{:>10}\x1b[0m  \x1b[32m✓\x1b[0m", item.path)?,
        }
        out.flush()
    }
}

fn print_end(
    data: &serde_json::Value,
    meta: &agently::types::data::ResultMeta,
) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{}", serde_json::to_string_pretty(data)?)?;
    let mut line = vec![format!(
        "model {}",
        meta.model.as_deref().unwrap_or("unknown")
    )];
    if let Some(reason) = &meta.finish_reason {
        line.push(format!("finish {reason}"));
    }
    if let Some(usage) = &meta.usage {
        let count = |tokens: Option<u64>| tokens.map_or("?".to_owned(), |n| n.to_string());
        line.push(format!(
            "tokens {} in, {} out",
            count(usage.input_tokens),
            count(usage.output_tokens)
        ));
    }
    if let (Some(first), Some(total)) = (meta.timings.to_first_field, meta.timings.total) {
        line.push(format!("first field {first:.1?}, total {total:.1?}"));
    }
    writeln!(out, "[{}]", line.join(" | "))?;
    Ok(())
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The whole chain, one level a line.
fn print_error(error: &dyn Error) {
    eprintln!("error: {error}");
    let mut next = error.source();
    while let Some(cause) = next {
        eprintln!("  because: {cause}");
        next = cause.source();
    }
}

struct Options {
    runtime: String,
    sync: bool,
    plain: bool,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            runtime: if cfg!(feature = "tokio") {
                "tokio"
            } else {
                "smol"
            }
            .to_owned(),
            sync: false,
            plain: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--sync" => options.sync = true,
                "--plain" => options.plain = true,
                "--runtime" => {
                    options.runtime = words.next().ok_or("--runtime needs `tokio` or `smol`")?;
                }
                other => {
                    return Err(format!(
                    "unknown option `{other}`; there are --sync, --plain and --runtime tokio|smol"
                )
                    .into())
                }
            }
        }
        Ok(options)
    }

    fn runtime(&self) -> Result<Runtime, Box<dyn Error>> {
        match self.runtime.as_str() {
            #[cfg(feature = "tokio")]
            "tokio" => Ok(agently::tokio::runtime()?),
            #[cfg(feature = "smol")]
            "smol" => Ok(agently::smol::runtime()?),
            name => Err(format!(
                "the runtime `{name}` is not built in; there are tokio and smol, \
                 each with `--features NAME` on the cargo command"
            )
            .into()),
        }
    }
}
