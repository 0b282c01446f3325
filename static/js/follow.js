// The view stays with the newest words while the reader is at the bottom, and does not move otherwise.
// The scrolling box is laid out from its end (see shell.css): zero is the bottom, and scrolling up is negative.
const NEAR = 48
const FAR = 160

const scroller = document.querySelector("[data-follow]")
const thread = document.getElementById("thread")
const jump = document.querySelector("[data-jump]")

function follow() {
  let height = thread.offsetHeight
  let addsAbove = false

  new ResizeObserver(() => {
    const growth = thread.offsetHeight - height
    height += growth
    if (-scroller.scrollTop <= NEAR) scroller.scrollTop = 0
    else if (!addsAbove) scroller.scrollTop -= growth
    addsAbove = false
  }).observe(thread)

  document.addEventListener("htmx:before:swap", (event) => {
    addsAbove = event.detail.tasks.some((task) => task.target?.id === "earlier")
  })
}

function toLatest() {
  scroller.scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" })
}

if (scroller) {
  follow()
  scroller.addEventListener("scroll", () => (jump.hidden = -scroller.scrollTop < FAR), { passive: true })
  jump.addEventListener("click", toLatest)
  document.addEventListener("parley:sent", () => (scroller.scrollTop = 0))
}
