/** The style of an invoice, on a screen and on paper. */
export const INVOICE_STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f1f3f6; color: #1c2430; font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 820px; margin: 40px auto; padding: 56px 64px; background: #fff; border-radius: 10px; box-shadow: 0 1px 3px #0002, 0 12px 32px #0001; }
header { display: flex; justify-content: space-between; align-items: flex-start; border-bottom: 2px solid #1c2430; padding-bottom: 20px; }
h1 { margin: 0; font-size: 34px; line-height: 1.2; letter-spacing: -.02em; }
.brand { margin: 0 0 2px; color: #5a6675; font-weight: 600; }
.stamp { margin: 0; padding: 4px 14px; border: 2px solid #17794a; border-radius: 6px; color: #17794a; font-weight: 700; letter-spacing: .08em; text-transform: uppercase; }
dl { display: grid; grid-template-columns: repeat(3, 1fr); gap: 18px 32px; margin: 28px 0 36px; }
dt { color: #5a6675; font-size: 12px; }
dd { margin: 2px 0 0; font-weight: 600; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
caption { padding-bottom: 8px; text-align: left; font-size: 17px; font-weight: 650; }
th, td { padding: 11px 12px 11px 0; text-align: left; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-bottom: 1px solid #c5ccd6; color: #5a6675; font-size: 12px; font-weight: 600; }
tbody td { border-bottom: 1px solid #e7eaef; overflow-wrap: anywhere; }
tbody td:first-child, .sum { white-space: nowrap; }
.sum { text-align: right !important; font-variant-numeric: tabular-nums; }
.fine { display: block; color: #5a6675; font-size: 12px; }
tfoot th { text-align: right; font-weight: 400; color: #5a6675; }
tfoot tr:first-child > * { padding-top: 18px; }
tfoot .total > * { padding-top: 8px; color: #1c2430; font-size: 19px; font-weight: 700; }
footer { margin-top: 40px; border-top: 1px solid #e7eaef; padding-top: 16px; color: #414c5a; font-size: 13px; }
footer p { margin: 0 0 6px; }
@media (max-width: 640px) { main { margin: 0; padding: 28px 20px; border-radius: 0; } dl { grid-template-columns: repeat(2, 1fr); } table { font-size: 13px; } tbody td:first-child { white-space: normal; overflow-wrap: normal; } }
@page { margin: 18mm; }
@media print { body { background: #fff; font-size: 11pt; } main { max-width: none; margin: 0; padding: 0; box-shadow: none; } tr { break-inside: avoid; } thead { display: table-header-group; } tfoot { display: table-row-group; } }
`
