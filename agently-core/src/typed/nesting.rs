use std::any::TypeId;

use crate::schema::{Schema, SchemaBuilder, SchemaErrorKind};

/// The types that are being described, from the outermost to the innermost.
#[derive(Debug, Default)]
pub struct Nesting {
    open: Vec<TypeId>,
}

impl Nesting {
    /// Describes a type, unless it is being described already: a schema is finite, so that a type
    /// that contains itself has none.
    pub fn enter<T: 'static>(
        &mut self,
        name: &str,
        describe: impl FnOnce(&mut Self) -> SchemaBuilder,
    ) -> SchemaBuilder {
        let id = TypeId::of::<T>();
        if self.open.contains(&id) {
            let mut builder = Schema::object();
            let message = format!(
                "the type `{name}` contains itself here, and a schema ends somewhere; take a type \
                 of its own for the inner level, or `serde_json::Value`"
            );
            builder.fail(SchemaErrorKind::Recursion, message);
            return builder;
        }
        self.open.push(id);
        let builder = describe(self);
        self.open.pop();
        builder
    }
}
