//! What `#[syncify]` refuses, each fault at its place.

#[test]
fn faults_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
