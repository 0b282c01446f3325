// Earlier messages take the place of the link that asked for them. Whoever was on it goes on from the newest of them,
// which stands just above; the view does not move.
let following = null

document.addEventListener("htmx:before:swap", (event) => {
  const link = document.getElementById("earlier")
  const isReplaced = link && event.detail.tasks.some((task) => task.target === link)
  following = isReplaced && link.contains(document.activeElement) ? link.nextElementSibling : null
})

document.addEventListener("htmx:after:swap", () => {
  const newest = following?.previousElementSibling
  following = null
  if (!newest) return
  newest.tabIndex = -1
  newest.focus({ preventScroll: true })
})
