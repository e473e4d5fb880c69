"""HTML input of an import: the file, and a field for each column."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic_journey.importing.actions import Upload
from clinic_journey.importing.columns import FIELDS
from clinic_journey.importing.models import DateOrder, Import, ImportKind


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What is in the file"), choices=ImportKind.choices, widget=forms.RadioSelect
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV or XLSX, with a line of column names. Nothing is imported before you have checked it."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        allow_empty_file=True,  # the reader says what an empty file needs
    )

    def upload(self) -> Upload:
        file = self.cleaned_data["file"]
        return Upload(self.cleaned_data["kind"], file.name, file, file.size)


class ColumnsForm(forms.Form):
    """One select box for each column of the file, and how its dates are written."""

    def __init__(self, run: Import, data: Any = None) -> None:
        super().__init__(data)
        self.run = run
        choices = [("", _("Do not import")), *FIELDS[ImportKind(run.kind)].items()]
        for number, name in enumerate(run.header):
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=name or _("Column %(number)s") % {"number": number + 1},
                choices=choices,
                required=False,
                initial=run.columns[number],
            )
        self.fields["date_order"] = forms.ChoiceField(
            label=_("Dates in the file"),
            choices=DateOrder.choices,
            initial=run.date_order,
            widget=forms.RadioSelect,
        )

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[f"column_{number}"] for number in range(len(self.run.header))]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = [data.get(f"column_{number}", "") for number in range(len(self.run.header))]
        for number, field in enumerate(chosen):
            if field and field in chosen[:number]:
                self.add_error(
                    f"column_{number}", _("Another column fills this already. Choose one of the two.")
                )
        return data

    def chosen(self) -> list[str]:
        return [self.cleaned_data[f"column_{number}"] for number in range(len(self.run.header))]
