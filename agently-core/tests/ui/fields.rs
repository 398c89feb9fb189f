use agently_core::output;

fn main() {
    output!({
        "a": str,
        "a": int,
        "": str,
        "$b": str,
        "c" (str, "C"),
        "d" => str,
        "e":,
        3: str,
        "f": str "g": str,
        "h":
    });
}
