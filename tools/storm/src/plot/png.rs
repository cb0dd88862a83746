//! The same picture for who cannot show SVG.

use std::{path::Path, sync::Arc};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use super::Drawn;

/// Pixels of it for each of the picture: for screens that are looked at closely.
const SCALE: f32 = 2.0;

pub(super) fn write(svg: &str, path: &Path) -> Drawn {
    let options = Options { fontdb: Arc::new(fonts()), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or("a picture without any size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("too large a picture")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.save_png(path)?;
    Ok(())
}

/// Those of the system. Where there are none, the picture has no words.
fn fonts() -> Database {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    let known = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica"];
    let families: Vec<String> = fonts
        .faces()
        .flat_map(|face| face.families.iter().map(|(family, _)| family.clone()))
        .collect();
    let has = |name: &&&str| families.iter().any(|family| family == **name);
    let best = known.iter().find(has).map(ToString::to_string).or(families.first().cloned());
    if let Some(family) = best {
        fonts.set_sans_serif_family(family);
    }
    fonts
}
