/// Whose way of speaking the chat-completions wire a [`MockServer`](crate::MockServer) takes on.
///
/// All of them are read by the same clients; what differs is where reasoning and usage stand, what
/// each chunk holds beside its text, and what is said while nothing is said. Errors have OpenAI's
/// shape in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// A role chunk, pieces, a finish, and usage in a chunk of its own if it is asked for.
    /// Reasoning is `reasoning_content`.
    #[default]
    OpenAi,
    /// Reasoning is `reasoning`, and is there as `null` beside text; choices tell `stop_reason`.
    Vllm,
    /// Every piece names the role, tool calls come whole, reasoning is `reasoning`.
    Ollama,
    /// `: keep-alive` comments while there is nothing to say; text and reasoning stand side by
    /// side, one of them `null`; usage comes with the finish, asked for or not.
    DeepSeek,
    /// The role chunk has no text; the last chunk tells `timings`.
    LlamaCpp,
}
