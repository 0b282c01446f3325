// Menus and dialogs are the browser's own; this is what older browsers lack, arrow keys in menus, and leaving with Tab.
const anchors = CSS.supports("position-area", "block-end")
const commands = "commandForElement" in HTMLButtonElement.prototype

function place(panel, button) {
  const { left, right, top, bottom } = button.getBoundingClientRect()
  const below = innerHeight - bottom > panel.offsetHeight
  panel.style.top = `${below ? bottom : Math.max(0, top - panel.offsetHeight - 8)}px`
  panel.style.left = `${Math.max(8, right + panel.offsetWidth - innerWidth > 0 ? right - panel.offsetWidth : left)}px`
}

document.addEventListener(
  "toggle",
  (event) => {
    if (anchors || event.newState !== "open" || !event.target.matches(".panel")) return
    const button = document.querySelector(`[popovertarget="${event.target.id}"]`)
    if (button && matchMedia("(min-width: 48.01rem)").matches) place(event.target, button)
  },
  true,
)

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest("[data-menu]") ?? event.target.nextElementSibling?.closest("[data-menu]:popover-open")
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!menu || !step) return
  const items = [...menu.querySelectorAll(".menu__item")].filter((item) => item.checkVisibility())
  const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length]
  next?.focus()
  event.preventDefault()
})

// Who goes on with Tab has done with the panel; its button still belongs to it. A press on the panel itself moves the
// focus out of it, too, but nobody sees that.
document.addEventListener("focusin", ({ target: next, relatedTarget: left }) => {
  const panel = left?.closest("[popover]") ?? left?.popoverTargetElement
  if (!panel?.matches(":popover-open") || panel.contains(next) || next.popoverTargetElement === panel) return
  if (next.matches(":focus-visible")) panel.hidePopover()
})

// What was chosen in a menu has been chosen; the menu goes.
document.addEventListener("click", (event) => {
  if (event.target.closest(".menu__item:not([type='submit'])")) event.target.closest("[popover]")?.hidePopover()
})

if (!commands) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[commandfor]")
    const dialog = button && document.getElementById(button.getAttribute("commandfor"))
    if (!dialog) return
    if (button.getAttribute("command") === "close") dialog.close()
    else dialog.showModal()
  })
}
