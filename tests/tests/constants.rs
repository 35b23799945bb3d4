//! Wrong constants do not compile, and the message has the field and the value.

#[test]
fn a_wrong_constant_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/constants/*.rs");
}
