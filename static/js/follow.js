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

// At once: a slow ride would chase words that keep coming.
function toLatest() {
  scroller.scrollTop = 0
}

if (scroller) {
  follow()
  scroller.addEventListener("scroll", () => (jump.hidden = -scroller.scrollTop < FAR), { passive: true })
  jump.addEventListener("click", toLatest)
  document.addEventListener("parley:sent", toLatest)
}
