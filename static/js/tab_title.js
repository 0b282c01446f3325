// The tab says that a reply is done, for somebody who is reading elsewhere meanwhile.
const DONE = "✓ "
let wasRunning = false

document.addEventListener("htmx:after:swap", () => {
  const isRunning = document.querySelector(".message--live") !== null
  if (wasRunning && !isRunning && document.hidden) document.title = DONE + document.title.replace(DONE, "")
  wasRunning = isRunning
})

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = document.title.replace(DONE, "")
})
