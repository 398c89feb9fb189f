//! What must not compile, and what the compiler says.

#[test]
fn wrong_chains_do_not_compile_and_the_message_names_the_block() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
