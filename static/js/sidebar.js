// The sidebar: put away with a pointer, a drawer on a phone.
const shell = document.getElementById("shell")
const YEAR = 31_536_000

function toggle() {
  const closed = shell.dataset.sidebar === "closed"
  shell.dataset.sidebar = closed ? "open" : "closed"
  // The server draws the next page the same way.
  document.cookie = `sidebar=${shell.dataset.sidebar}; path=/; max-age=${YEAR}; samesite=lax`
}

function setDrawer(open) {
  shell.dataset.drawer = open ? "open" : "closed"
  if (open) shell.querySelector(".sidebar :is(a, button):not(.wide-only)").focus({ preventScroll: true })
  else shell.querySelector("[data-drawer='open']")?.focus()
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-sidebar-toggle]")) toggle()
  const drawer = event.target.closest("[data-drawer='open'], [data-drawer='close']")
  if (!drawer || drawer === shell) return
  event.preventDefault()
  setDrawer(drawer.dataset.drawer === "open")
})

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && shell?.dataset.drawer === "open") setDrawer(false)
})

document.addEventListener("parley:toggle-sidebar", () => shell && toggle())
shell?.querySelector(".sidebar [aria-current]")?.scrollIntoView({ block: "nearest" })
