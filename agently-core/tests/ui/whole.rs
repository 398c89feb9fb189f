use agently_core::output;

fn main() {
    output!();
    output!(title: str);
    output!({ "a": str } { "b": str });
}
