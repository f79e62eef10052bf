//! The Spin interfaces that components import, generated from `wit/`.

wasmtime::component::bindgen!({
    path: ["wit/spin-sqlite@3.1.0", "wit/spin-variables@3.0.0"],
    inline: "
        package akademi:host;
        world spin {
            import spin:sqlite/sqlite@3.1.0;
            import spin:variables/variables@3.0.0;
        }
    ",
    world: "akademi:host/spin",
    imports: { default: async | trappable },
    with: { "spin:sqlite/sqlite.connection": crate::sqlite::Connection },
});
