//! The quickstart on smol, in a dependency tree without a tokio runtime.
//!
//! `cargo run -p smol-only` runs it; `cargo xtask walls` checks the tree.
#![allow(clippy::print_stdout, reason = "it is a command-line program")]

use std::error::Error;

use agently::mock::{MockServer, Reply};
use agently::openai::OpenAi;
use agently::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let server = MockServer::builder().reply(Reply::demo()).start()?;
    let provider = OpenAi::builder()
        .base_url(server.base_url())
        .model("mock")
        .build()?;
    let runtime = agently::smol::runtime()?;
    let agent = Agently::builder()
        .provider(provider)
        .runtime(runtime.clone())
        .build()?
        .agent();
    runtime.block_on(async {
        let result = agent
            .input("Give me a title and two bullets.")
            .output(output!({
                "title": (str, "Title", true),
                "items": [(str, "Bullet point", true)],
            }))
            .get_result();
        let mut events = result.get_async_generator(Instant);
        while let Some(item) = events.next().await {
            let item = item?;
            if item.is_complete {
                println!("{} done", item.path);
            }
        }
        println!("{}", result.async_get_data().await?);
        Ok(())
    })?
}
