//! Many files.

use rustix::process::{Resource, getrlimit};

use crate::scene::Scene;
use crate::witness::seconds;
use crate::{Judging, Why};

pub(super) fn sixty_four_sources_all_make_progress(judging: &Judging<'_>) -> Result<(), Why> {
    all_make_progress(64, judging)
}

pub(super) fn six_hundred_sources_all_make_progress(judging: &Judging<'_>) -> Result<(), Why> {
    const FILES: u64 = 600;
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // A few are a program's own.
    if limit < FILES + 40 {
        return Err(Why::NotAsked(format!("a program may open no more than {limit} files here")));
    }
    all_make_progress(FILES as usize, judging)
}

/// Merges files of a line each, which get another one while they are followed.
fn all_make_progress(files: usize, judging: &Judging<'_>) -> Result<(), Why> {
    let mut scene = Scene::new(judging, files);
    scene.logs.iter_mut().for_each(|log| log.write(1));
    let run = scene.run()?;
    if run.follows() {
        for round in 0..2 {
            if round > 0 {
                scene.logs.iter_mut().for_each(|log| log.write(1));
            }
            if run.until_written(scene.bytes()) {
                continue;
            }
            let silent = scene.silent();
            if let Some(first) = silent.first().filter(|_| run.program.ended().is_none()) {
                return Err(Why::Broken(format!(
                    "{} of {files} files have given no line after {}, the first of them is {}",
                    silent.len(),
                    seconds(run.within()),
                    first.path.file_name().unwrap_or_default().display()
                )));
            }
            run.must_have_written(scene.bytes(), "the second line of each file")?;
        }
    }
    let end = run.end()?;
    scene.check(&end)
}
