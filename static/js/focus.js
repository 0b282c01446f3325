// Whoever was on something that the server has replaced stays there: on its successor of the same name, or, where there
// is none, on the message or card that it stood in. Without this one would begin again at the top of the page.
const CONTROLS = "a[href], button, input, select, summary, textarea"
let left = null
let asking = null

const nameOf = (control) => control.getAttribute("aria-label") ?? control.textContent.trim()

// Another answer to the same question is another message in the same place.
function surroundingsOf(element) {
  const surroundings = element.closest("article[data-place], [id]")
  if (!surroundings || surroundings === document.body) return ""
  const { place } = surroundings.dataset
  return place === undefined ? `#${CSS.escape(surroundings.id)}` : `article[data-place="${CSS.escape(place)}"]`
}

// A button that rests while its question is on its way loses the focus before its place is taken.
const focusedNow = () => (document.activeElement === document.body && asking?.disabled ? asking : document.activeElement)

document.addEventListener("htmx:config:request", () => (asking = document.activeElement))

document.addEventListener("htmx:before:swap", (event) => {
  const focused = focusedNow()
  if (focused === document.body || !event.detail.tasks.some((task) => task.target?.contains?.(focused))) return
  left = { element: focused, name: nameOf(focused), surroundings: surroundingsOf(focused) }
})

document.addEventListener("htmx:after:swap", () => {
  if (!left || left.element.isConnected) return
  const { name, surroundings } = left
  left = null
  if (document.activeElement !== document.body || !surroundings) return
  const scope = document.querySelector(surroundings)
  if (!scope) return
  const same = [...scope.querySelectorAll(CONTROLS)].find((one) => !one.disabled && nameOf(one) === name && one.checkVisibility())
  if (!same && !scope.matches(CONTROLS)) scope.tabIndex = -1
  ;(same ?? scope).focus({ preventScroll: true })
})
