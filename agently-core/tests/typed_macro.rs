//! Wrong use of `#[derive(Output)]` and of typed paths does not compile, and says why.

#[test]
fn faults_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui_derive/*.rs");
}
