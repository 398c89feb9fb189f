use agently_core::output;

fn main() {
    output!({
        "a": (),
        "b": (str, true),
        "c": (str, Title),
        "d": (str, "D", yes),
        "e": (str, "E", "notnull"),
        "f": (str, "F", true, "more"),
        "g": ("Title", true),
        "h": ("Title"),
        "i": ((str), "I"),
        "j": (str "J"),
        "k": "",
        "l": (str, "L", 1),
    });
}
